"""`fenix-status upgrade check` over a database that another release may have left."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fenix.domain import ActionSpec, ActionType
from fenix.service.clock import utc_now
from fenix.service.status import run
from fenix.store import Database, EngineRow, leases, migrate, sessions, subscriptions
from tests.cli.harness import free_port, write_config
from tests.factories import make_session, make_subscription
from tests.store.running import write

Check = Callable[[], tuple[int, dict[str, Any]]]


@pytest.fixture
def database(tmp_path: Path) -> Any:
    database = Database(f"sqlite:///{tmp_path}/fenix.sqlite")
    migrate.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    config = write_config(
        tmp_path, free_port(), database=f"connection = sqlite:///{tmp_path}/fenix.sqlite"
    )

    def check() -> tuple[int, dict[str, Any]]:
        code = run(["--config-file", str(config), "upgrade", "check", "--json"])
        said = json.loads(capsys.readouterr().out)
        return code, {one["check"]: (one["result"], one["details"]) for one in said["checks"]}

    return check


def test_all_is_well(database: Database, check: Check) -> None:
    session = make_session()
    write(database, lambda c: sessions.create(c, session))
    code, found = check()
    assert code == 0, found
    assert {result for result, _ in found.values()} == {0}
    assert len(found) == 5


def test_a_schema_that_is_not_there_yet(check: Check) -> None:
    code, found = check()
    assert code == 2
    assert "fenix db upgrade" in found["Database schema"][1]
    assert found["Engines"][0] == 1, "not checked"


# oslo.upgradecheck draws its table with a constant that PrettyTable wants to rename.
@pytest.mark.filterwarnings("ignore:the 'ALL' constant is deprecated:DeprecationWarning")
def test_a_configuration_that_can_not_work(tmp_path: Path, database: Database) -> None:
    config = write_config(tmp_path, free_port(), name="bad", engine="lease_seconds = 1")
    assert run(["--config-file", str(config), "upgrade", "check"]) == 2


def test_a_session_that_needs_what_is_not_installed(database: Database, check: Check) -> None:
    action = ActionSpec("gone", ActionType.HOST, {})
    request = replace(make_session().request, workflow="left-behind", actions=(action,))
    session = replace(make_session(), request=request)
    write(database, lambda c: sessions.create(c, session))
    code, found = check()
    assert code == 2
    details = found["Workflows and action plug-ins"][1]
    assert f"session {session.id} needs workflow left-behind" in details
    assert "action plug-in gone" in details


def test_a_secret_without_its_key(database: Database, check: Check) -> None:
    one = make_subscription(secret="sealed")
    write(database, lambda c: subscriptions.add(c, one))
    code, found = check()
    assert code == 2
    assert "key_file is not set" in found["Keys of subscriptions' secrets"][1]


def test_engines_of_another_release(database: Database, check: Check) -> None:
    now = utc_now()
    for name, version, seen in (("old", "0.0.1", now), ("dead", "0.0.1", now.replace(year=2020))):
        row = EngineRow(name, "host", 1, version, seen, seen)
        write(database, lambda c, row=row: leases.save_engine(c, row))
    code, found = check()
    assert code == 1
    assert found["Engines"][1] == "restart these soon: old is of release 0.0.1"
