"""How runs of a benchmark are summed up."""

from dataclasses import replace
from typing import Any

import pytest

from fenix.cli.bench_run import measure_plan
from fenix.simulation.bench import (
    CASES,
    Case,
    PlanJob,
    PlanRun,
    Run,
    gains,
    geometric_mean,
    jobs,
)
from fenix.simulation.bench_page import page
from fenix.simulation.bench_tables import comparison, costs, problems, results

RUN = Run(
    family="telco",
    size=24,
    seed=1,
    workflow="vnf",
    state="MAINTENANCE_DONE",
    reason="",
    makespan_s=1000.0,
    lower_bound_s=800.0,
    binding="capacity.vcpus",
    ratio=1.25,
    moves=120,
    moves_lower_bound=100,
    second_moves=20,
    scaled_in=4,
    violations=0,
    cpu_s=2.0,
    peak_memory_mb=70.0,
    possible_s=900.0,
)
FAILED: dict[str, Any] = {"state": "MAINTENANCE_FAILED", "reason": "no room", "ratio": None}


def test_jobs() -> None:
    """Policies run in the smaller cases, unless all is asked for."""
    small = jobs(("it", "doctor"), 2, "vnf", ["drain"], large=False)
    assert {(job.family, job.size, job.workflow) for job in small} == {
        ("doctor", 3, "vnf"),
        ("doctor", 3, "drain"),
        ("doctor", 10, "vnf"),
        ("doctor", 10, "drain"),
        ("it", 200, "vnf"),
    }
    assert {job.seed for job in small} == {1, 2}
    large = jobs((), 1, "vnf", ["drain"], large=True)
    assert len(large) == 2 * (len(CASES) + 1)
    assert large[-1].size == 1000


def test_what_is_possible_counts_as_well() -> None:
    grid = results([RUN], "vnf")
    row = dict(zip(grid.columns, grid.rows[0], strict=True))
    assert (row["makespan/bound"], row["makespan/rounds"]) == ("1.250", "1.111")


def test_geometric_mean() -> None:
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2)
    assert geometric_mean([]) is None


def test_gains() -> None:
    """Only scenarios that both have carried out are compared."""
    runs = [
        RUN,
        replace(RUN, seed=2, makespan_s=500.0),
        replace(RUN, seed=3),
        replace(RUN, workflow="drain", makespan_s=2000.0),
        replace(RUN, workflow="drain", seed=2, makespan_s=4000.0),
        replace(RUN, workflow="drain", seed=3, makespan_s=1.0, **FAILED),
    ]
    assert gains(runs, "vnf", "drain") == {Case("telco", 24): pytest.approx(4)}
    grid = comparison(runs, "vnf", ["drain", "batch"])
    assert grid.rows[0] == ["telco 24", "4.00 (1 of 3 failed)", "–"]


def test_results() -> None:
    runs = [RUN, replace(RUN, seed=2, ratio=1.0), replace(RUN, seed=3, violations=2, **FAILED)]
    grid = results(runs, "vnf")
    row = dict(zip(grid.columns, grid.rows[0], strict=True))
    assert row["done"] == "2/3"
    assert row["makespan/bound"] == "1.118"
    assert row["worst"] == "1.250"
    assert row["moves/bound"] == "1.200"
    assert row["violations"] == "2"
    assert problems(runs) == [
        "telco-24-3, vnf: MAINTENANCE_FAILED: no room",
        "telco-24-3, vnf: 2 violations",
    ]


def test_costs() -> None:
    """Ten times the hosts for a hundred times the time: to the power of two."""
    small = replace(RUN, family="region", size=100, cpu_s=1.0)
    large = replace(RUN, family="region", size=1000, cpu_s=100.0, decision_s=0.25)
    plan = PlanRun(5000, 30_000, True, 30_100, 9000.0, 8900.0, 61.2, 60.0, 900.0)
    rows = costs([small, large, RUN], [plan], "vnf").rows
    assert rows == [
        ["simulate region 1000", "100.0 s of processor time"],
        ["simulate region 1000, the longest decision", "0.250 s"],
        ["growth from 100 to 1000 hosts", "hosts to the power 2.00"],
        [
            "plan 5,000 hosts and 30,000 instances",
            "61 s, 60 s of processor time, 900 MiB",
        ],
    ]
    assert "to the power 2.00" in page([small, large], "vnf", [], "x", [plan], " on a machine")


def test_a_plan_is_measured() -> None:
    found = measure_plan(PlanJob(hosts=4, instances=10))
    assert (found.hosts, found.instances, found.feasible) == (4, 10, True)
    assert found.moves >= 10
    assert found.makespan_s >= found.lower_bound_s > 0


def test_page() -> None:
    runs = [RUN, replace(RUN, workflow="drain", makespan_s=2000.0)]
    text = page(runs, "vnf", ["drain"], "docs/benchmarks.md")
    assert "| telco 24 | 1/1 | 1,000 | 800 | 1.250 |" in text
    assert "| telco 24 | 2.00 |" in text
    assert "What was not done" not in text
    assert "* telco: about 85 % full" in text
    assert "no room" in page([replace(RUN, **FAILED)], "vnf", [], "docs/benchmarks.md")
