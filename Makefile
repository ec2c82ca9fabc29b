# What a developer does, each with all that it needs. `make` alone shows the list.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	command -v $(p) >/dev/null && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& command -v $(p))) python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.ready-docs
# The others share one RabbitMQ.
SIDE_BY_SIDE := tests/api tests/chaos tests/cli tests/simulation tests/store tests/upgrade
N ?= 3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz check format test-services test-openstack test-attacks bench soak chaos \
	chaos-managers docs samples devcloud devcloud-stop clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## See a whole maintenance on this machine (ARGS="--hosts 6 --keep")
	$(BIN)/fenix demo $(ARGS)

test: $(READY) ## Run all tests that need nothing else on the machine
	$(BIN)/pytest -n 3 -m "not services and not openstack and not chaos and not fuzz" $(ARGS)

fuzz: $(READY) ## Send the API what its description allows and forbids, 2,000 times
	$(BIN)/pytest -n 2 -m fuzz $(ARGS)

check: $(READY) ## Check format, style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Bring the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-services: $(READY) ## Run the tests that need MariaDB, PostgreSQL and RabbitMQ
	scripts/services
	$(BIN)/pytest -n 2 -m services $(SIDE_BY_SIDE) $(ARGS)
	$(BIN)/pytest -m services $(addprefix --ignore=,$(SIDE_BY_SIDE)) $(ARGS)

test-openstack: $(READY) ## Run the tests that need a real OpenStack; it is set up first
	$(BIN)/python -m devcloud ensure $(N)
	$(BIN)/pytest -m "openstack and not attacks" $(ARGS)

test-attacks: $(READY) ## Run sessions on a real OpenStack that is in trouble, about ten minutes
	$(BIN)/python -m devcloud ensure $(N)
	$(BIN)/pytest -m attacks $(ARGS)

bench: $(READY) ## Measure on simulated clouds, and under load (ARGS="--docs docs/benchmarks.md")
	$(BIN)/fenix bench $(ARGS)
	$(BIN)/fenix bench --load $(ARGS)

soak: $(READY) ## Run random simulations until one finds something
	$(BIN)/fenix soak $(ARGS)

chaos: $(READY) ## Kill, freeze and restart real engines and servers (ARGS="--kills 10")
	$(BIN)/python -m tests.chaos $(ARGS)

chaos-managers: $(READY) ## Attack real processes as managers (CHAOS_RUNS=50 sessions, CHAOS_SEED=1)
	$(BIN)/pytest -m chaos $(ARGS)

docs: $(DOCS_READY) ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

samples: $(READY) ## Write etc/fenix/*.sample: all options and all policies
	$(BIN)/oslo-config-generator --config-file etc/fenix/config-generator.conf
	$(BIN)/oslopolicy-sample-generator --config-file etc/fenix/policy-generator.conf

devcloud: $(READY) ## Set up and start a real OpenStack with N fake hypervisors on this machine
	$(BIN)/python -m devcloud ensure $(N)

devcloud-stop: ## Stop it and forget what was in it
	$(PYTHON) -m devcloud destroy

clean: ## Remove everything that is made here
	rm -rf $(VENV) docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev \
		--editable ".[mysql,postgresql]"
	@touch $@

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	@touch $@
