"""`fenix bench` and `fenix scenario`."""

import json
from pathlib import Path

import pytest

from fenix.cli.load.calls import Times
from fenix.cli.load.shape import Shape
from fenix.simulation.bench_page import kept_section
from tests.cli.harness import Fenix

FAMILY = ("bench", "--family", "doctor", "--seeds", "1")


@pytest.mark.services  # for the time that it takes
def test_bench(fenix: Fenix, tmp_path: Path) -> None:
    """Each run has a process of its own; the page has what was measured."""
    page = tmp_path / "benchmarks.md"
    runs = fenix(*FAMILY, "--policy", "drain", "--json", "--docs", str(page)).json
    assert [(run["size"], run["workflow"]) for run in runs] == [
        (3, "vnf"),
        (3, "drain"),
        (10, "vnf"),
        (10, "drain"),
    ]
    assert all(run["state"] == "MAINTENANCE_DONE" and not run["violations"] for run in runs)
    assert all(run["ratio"] >= 1 and run["cpu_s"] > 0 for run in runs)
    assert all(10 < run["peak_memory_mb"] < 1000 for run in runs)
    assert f"{runs[0]['makespan_s']:,.0f} | {runs[0]['lower_bound_s']:,.0f}" in page.read_text()


@pytest.mark.services  # for the time that it takes
def test_load(fenix: Fenix, tmp_path: Path) -> None:
    """Real processes; the page gets one section, also when it is measured again."""
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\n## Other\n\ntext\n\n## Load\n\nold\n")
    found = fenix("bench", "--load", "--hosts", "10", "--json", "--docs", str(page)).json
    calls = {name: one["calls"] for name, one in found["calls"].items()}
    assert calls["put constraints"] == 50
    assert calls["reply, in a burst"] == 20
    assert (calls["list"], calls["show"], calls["detail"]) == (10, 10, 1)
    assert all(0 < one["p50_s"] <= one["p99_s"] <= one["p100_s"] for one in found["calls"].values())
    assert (found["state"], found["percent"], found["problems"]) == ("MAINTENANCE_DONE", 100, [])
    assert found["rows"]["hosts"] == 10
    assert found["rows"]["moves"] >= found["rows"]["instances"] == 100
    assert 10 < found["memory"]["serve"] < 500
    text = page.read_text()
    assert text.startswith("# Benchmarks\n\n## Other\n\ntext\n\n## Load\n\nWhat the service")
    assert text.count("## Load") == 1
    assert "old" not in text
    assert "| reply, in a burst | 20 |" in text


def test_the_load_stays_on_the_page() -> None:
    """Whoever measures the rest again keeps it."""
    assert kept_section("# A\n\n## Load\n\nx\n") == "\n## Load\n\nx\n"
    assert kept_section("# A\n\nLoad\n") == ""


def test_latencies() -> None:
    """By nearest rank, whatever order they came in."""
    times = Times("call", [float(n) for n in range(100, 0, -1)], wall=50.0)
    assert [times.at(share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [1, 50, 95, 99, 100]
    assert Times("call", [7.0]).at(0.5) == 7
    assert times.rate == 2


def test_the_shape_of_a_load() -> None:
    """Each of the burst's sessions has hosts of its own, with instances of all projects."""
    for hosts in (10, 19, 50):
        shape = Shape.of_hosts(hosts)
        cloud = json.loads(shape.scenario())
        taken: list[str] = []
        for session in range(shape.sessions):
            names = shape.host_names(session)
            there = {one["project"] for one in cloud["instances"] if one["host"] in names}
            assert there == set(shape.project_ids())
            taken += names
        assert len(taken) == len(set(taken)) <= hosts
        calls = list(shape.constraint_calls())
        assert len({path for path, _, _ in calls}) == len(calls) == shape.constraints


def test_wrong_usage(fenix: Fenix, tmp_path: Path) -> None:
    assert "region" in fenix("bench", "--family", "none", code=2).err
    assert "serial" in fenix("bench", "--policy", "none", code=2).err


def test_scenario_generate(fenix: Fenix, tmp_path: Path) -> None:
    """To a file or to standard output, always the same."""
    said = fenix("scenario", "generate", "telco", "8", "--seed", "2").out
    file = tmp_path / "telco.json"
    fenix("scenario", "generate", "telco", "8", str(file), "--seed", "2")
    assert file.read_text() == said
    assert json.loads(said)["name"] == "telco-8-2"
    assert fenix("simulate", str(file)).out.startswith("telco-8-2, vnf")


def test_scenario_wrong_usage(fenix: Fenix, tmp_path: Path) -> None:
    assert "allowed: doctor" in fenix("scenario", "generate", "none", "3", code=2).err
    assert "too small" in fenix("scenario", "generate", "telco", "1", code=2).err
    fenix("scenario", "generate", "doctor", "3", str(tmp_path), code=1)
