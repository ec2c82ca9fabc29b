"""`fenix bench` and `fenix scenario`."""

import json
from pathlib import Path

from tests.cli.harness import Fenix

FAMILY = ("bench", "--family", "doctor", "--seeds", "1")


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
