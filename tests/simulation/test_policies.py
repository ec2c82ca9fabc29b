"""Policies do all the work within all limits, each in its own way."""

from collections import defaultdict
from pathlib import Path

import pytest

from fenix.domain import InvalidField
from fenix.simulation import clock
from fenix.simulation.events import Event
from fenix.simulation.loading import load
from fenix.simulation.policies import POLICIES
from fenix.simulation.report import Report, report_of, with_choices
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from fenix.workflows import registry
from tests.simulation.scenes import host, instance, project, scene

EXAMPLES = Path(__file__).parents[2] / "scenarios"


def run(scenario: Scenario, policy: str) -> tuple[Report, list[Event]]:
    """A run's report and events."""
    with registry.lent(POLICIES):
        outcome = clock.run(simulate(with_choices(scenario, policy)))
    return report_of(outcome), outcome.stage.log.events


def most_at_one_time(events: list[Event], started: str, finished: str) -> int:
    """How many of something were under way at most."""
    now = most = 0
    for event in events:
        now += (event["event"] == started) - (event["event"] == finished)
        most = max(most, now)
    return most


def moves(events: list[Event]) -> int:
    return most_at_one_time(events, "instance.move.started", "instance.move.finished")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["doctor-3", "doctor-10", "it-12", "telco-8"])
def test_examples(name: str, policy: str) -> None:
    """All that is asked for is done, and nothing that must not happen."""
    report, _ = run(load(EXAMPLES / f"{name}.json"), policy)
    assert report.violations == ()
    assert report.state == "MAINTENANCE_DONE", report.reason
    assert report.workflow == policy


def roomy() -> Scenario:
    """Four hosts, each a quarter full; every host could be emptied side by side with another."""
    names = [f"compute-{n}" for n in range(1, 5)]
    members = [instance(f"i-{n}", names[n % 4], vcpus=1, memory_mb=1024) for n in range(8)]
    return scene(hosts=[host(name) for name in names], instances=members)


def test_serial() -> None:
    report, events = run(roomy(), "serial")
    assert report.good
    assert (moves(events), report.peak_hosts_in_maintenance) == (1, 1)


def test_drain() -> None:
    """In the order of names; the scheduler sends some to hosts that are still to come."""
    report, events = run(roomy(), "drain")
    worked_on = [e["host"] for e in events if e["event"] == "host.maintenance.started"]
    assert report.good
    assert worked_on == sorted(worked_on)
    assert (moves(events) > 1, report.peak_hosts_in_maintenance) == (True, 1)
    assert report.second_moves > 0


def test_batch() -> None:
    """Nothing moves while hosts are worked on, and the other way round."""
    report, events = run(roomy(), "batch")
    assert report.good
    assert report.peak_hosts_in_maintenance > 1
    under_way: dict[str, int] = defaultdict(int)
    for event in events:
        kind, _, end = event["event"].rpartition(".")
        under_way[kind] += {"started": 1, "finished": -1}.get(end, 0)
        assert not (under_way["instance.move"] and under_way["host.maintenance"])


def test_drain_without_room() -> None:
    """The scheduler finds no host and nobody gives anything back."""
    full = [instance(f"i-{n}", f"compute-{n}", vcpus=8) for n in (1, 2, 3)]
    report, _ = run(scene(instances=full, projects=[project()]), "drain")
    assert report.state == "MAINTENANCE_FAILED"
    assert "host compute-1 can't be emptied" in report.reason
    assert "no valid host was found" in report.reason
    assert report.violations == ()


def test_only_simulations_know_them() -> None:
    with pytest.raises(InvalidField):
        registry.load("drain")
    with registry.lent(POLICIES):
        assert registry.load("drain") is POLICIES["drain"]
        assert "drain" not in registry.names()
    with pytest.raises(InvalidField):
        registry.load("drain")
