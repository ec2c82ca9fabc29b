"""How runs of a benchmark are summed up."""

from dataclasses import replace
from typing import Any

import pytest

from fenix.simulation.bench import CASES, Case, Run, gains, geometric_mean, jobs
from fenix.simulation.bench_page import page
from fenix.simulation.bench_tables import comparison, problems, results

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


def test_page() -> None:
    runs = [RUN, replace(RUN, workflow="drain", makespan_s=2000.0)]
    text = page(runs, "vnf", ["drain"], "docs/benchmarks.md")
    assert "| telco 24 | 1/1 | 1,000 | 800 | 1.250 |" in text
    assert "| telco 24 | 2.00 |" in text
    assert "What was not done" not in text
    assert "* telco: about 85 % full" in text
    assert "no room" in page([replace(RUN, **FAILED)], "vnf", [], "docs/benchmarks.md")
