"""Reports: what they count, and what they leave out."""

import pytest

from fenix.simulation import clock
from fenix.simulation.events import Event
from fenix.simulation.report import Report, report_of, with_choices
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from tests.simulation.scenes import action, doctor, host, instance, project, scene


def run(scenario: Scenario) -> tuple[Report, list[Event]]:
    """A run's report and what an observer has seen."""
    seen: list[Event] = []
    outcome = clock.run(simulate(scenario, observers=[seen.append]))
    assert seen == outcome.stage.log.events
    return report_of(outcome), seen


def times(events: list[Event], *kinds: str) -> list[float]:
    """When events of some kinds happened."""
    return [event["t"] for event in events if event["event"] in kinds]


@pytest.mark.parametrize("workflow", ["vnf", "default"])
def test_doctor(workflow: str) -> None:
    """The makespan ends with the last host back; the scale-out comes later."""
    report, events = run(with_choices(doctor(), workflow))
    begin = min(times(events, "instance.move.started", "host.maintenance.started"))
    end = max(times(events, "host.maintenance.finished", "host.enabled"))
    assert report.good
    assert report.workflow == workflow
    assert report.makespan_s == end - begin
    assert report.ratio == report.makespan_s / 400
    assert report.total_s == times(events, "session.state")[-1] > end
    assert report.scaled_in == len(times(events, "instance.deleted")) == 2
    assert report.moves == len(times(events, "instance.move.started"))
    assert report.moves_lower_bound == 4
    assert report.second_moves == report.moves - len(
        {event["instance"] for event in events if event["event"] == "instance.move.started"}
    )
    assert report.peak_hosts_in_maintenance >= 1
    assert report.messages >= len(times(events, "project.notified", "session.state"))


def test_own_action_is_no_scale_in() -> None:
    """Its manager builds the instance anew elsewhere: nothing was given back."""
    own = [instance("i-1", "compute-1", migration_type="OWN_ACTION")]
    report, events = run(with_choices(scene(instances=own), "vnf"))
    assert times(events, "instance.deleted")
    assert (report.good, report.scaled_in, report.moves) == (True, 0, 0)
    assert report.ratio is not None
    assert report.ratio >= 1


def test_failed_session_has_no_ratio() -> None:
    """What was not done can't be compared."""
    full = [instance(f"i-{n}", f"compute-{n}", vcpus=8) for n in (1, 2, 3)]
    report, _ = run(with_choices(scene(instances=full, projects=[project()]), "vnf"))
    assert report.state == "MAINTENANCE_FAILED"
    assert not report.good
    assert report.ratio is None
    assert report.makespan_s == 0


def test_nothing_to_do() -> None:
    """Without work there is no bound to compare with."""
    report, _ = run(scene(instances=[], session={"actions": [action("pre", 5)]}))
    assert report.good
    assert (report.bound.seconds, report.ratio) == (0, None)


def test_group_limits_count_for_all_but_default() -> None:
    """Workflow default moves all instances of a project at once, by its contract."""
    group = {"id": "g", "project": "app", "max_impacted_members": 1, "recovery_time": 5}
    members = [instance(f"i-{n}", "compute-1", group="g") for n in range(3)]
    hosts = [host("compute-1"), host("compute-2")]
    scenario = scene(hosts=hosts, groups=[group], instances=members)
    assert run(with_choices(scenario, "default"))[0].good
    report, _ = run(with_choices(scenario, "vnf"))
    assert report.good
    assert report.makespan_s >= 3 * 15 - 5 + 60


def test_choices() -> None:
    chosen = with_choices(doctor(), seed=7)
    assert (chosen.seed, chosen.session.workflow) == (7, doctor().session.workflow)
    assert chosen.hosts == doctor().hosts
