"""`fenix simulate`: its files have exactly the form that programs of others read."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Fenix

DOCTOR = Path(__file__).parents[2] / "scenarios" / "doctor-3.json"

REPORT = {
    "scenario",
    "workflow",
    "state",
    "total_s",
    "makespan_s",
    "lower_bound_s",
    "ratio",
    "moves",
    "moves_lower_bound",
    "scaled_in",
    "peak_hosts_in_maintenance",
    "messages",
    "cloud_calls",
    "violations",
    "wall_s",
    "peak_memory_mb",
}

EVENTS = {
    "session.state": {"state"},
    "project.notified": {"project", "state", "instances"},
    "project.replied": {"project", "state", "instances"},
    "instance.move.started": {"instance", "source", "target", "action"},
    "instance.move.finished": {"instance", "host", "ok"},
    "instance.deleted": {"instance", "host"},
    "instance.created": {
        "instance",
        "host",
        "project",
        "group",
        "vcpus",
        "memory_mb",
        "disk_gb",
    },
    "host.disabled": {"host"},
    "host.enabled": {"host"},
    "host.maintenance.started": {"host"},
    "host.maintenance.finished": {"host", "ok"},
}


@pytest.mark.parametrize("choice", [("--workflow", "default"), ("--policy", "drain"), ()])
def test_files(fenix: Fenix, tmp_path: Path, choice: tuple[str, ...]) -> None:
    """Doctor's full cloud makes every kind of event."""
    events, report = tmp_path / "events.jsonl", tmp_path / "report.json"
    said = fenix("simulate", str(DOCTOR), *choice, "--events", str(events), "--report", str(report))
    lines: list[dict[str, Any]] = [json.loads(line) for line in events.read_text().splitlines()]
    found = {line["event"]: set(line) - {"t", "event"} for line in lines}
    assert found == EVENTS
    assert all(set(line) - {"t", "event"} == EVENTS[line["event"]] for line in lines)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    result = json.loads(report.read_text())
    assert set(result) == REPORT
    assert result["workflow"] == (choice[1] if choice else "vnf")
    assert result["state"] == "MAINTENANCE_DONE"
    assert result["violations"] == []
    assert result["lower_bound_s"] == 400
    assert result["ratio"] == pytest.approx(result["makespan_s"] / 400, abs=1e-4)
    assert result["moves"] == sum(line["event"] == "instance.move.started" for line in lines)
    assert result["cloud_calls"]["start_move"] >= result["moves"] >= result["moves_lower_bound"]
    assert result["scaled_in"] == 2
    assert result["wall_s"] > 0
    assert result["peak_memory_mb"] > 10
    assert "with 4 of 12 free" in said.out


def test_failed_session(fenix: Fenix, tmp_path: Path) -> None:
    """Without a scale-in there is no way on; the report says so."""
    scenario = json.loads(DOCTOR.read_text())
    scenario["projects"][0]["manager"]["scale_in"] = None
    file, report = tmp_path / "full.json", tmp_path / "report.json"
    file.write_text(json.dumps(scenario))
    said = fenix("simulate", str(file), "--report", str(report), code=1)
    result = json.loads(report.read_text())
    assert result["state"] == "MAINTENANCE_FAILED"
    assert result["ratio"] is None
    assert "ACK_SCALE_IN" in said.out


def test_wrong_usage(fenix: Fenix, tmp_path: Path) -> None:
    """What is wrong with a file or a choice is said; exit code 2."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(DOCTOR.read_text().replace('"seed"', '"sead"'))
    assert "sead: this key is not known" in fenix("simulate", str(broken), code=2).err
    missing = tmp_path / "missing.yaml"
    assert "missing.yaml: No such file" in fenix("simulate", str(missing), code=2).err
    assert "default, vnf" in fenix("simulate", str(DOCTOR), "--workflow", "none", code=2).err
    assert "serial" in fenix("simulate", str(DOCTOR), "--policy", "none", code=2).err
    both = fenix("simulate", str(DOCTOR), "--policy", "drain", "--workflow", "vnf", code=2)
    assert "either" in both.err


def test_policies_are_no_workflows(fenix: Fenix) -> None:
    """They are found in simulations that ask for them, and nowhere else."""
    assert "is not valid" in fenix("simulate", str(DOCTOR), "--workflow", "drain", code=2).err


def test_nowhere_to_write(fenix: Fenix, tmp_path: Path) -> None:
    """It is said before the work is done."""
    target = tmp_path / "nowhere" / "report.json"
    said = fenix("simulate", str(DOCTOR), "--report", str(target), code=1)
    assert "there is no directory" in said.err
    assert said.out == ""
