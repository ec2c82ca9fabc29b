"""A manager that builds an instance anew needs its time, and its group counts it as impacted."""

from collections.abc import Iterator
from typing import Any

import pytest

from fenix.domain import ProjectState, SessionOptions, SilentPolicy
from fenix.simulation import clock
from fenix.simulation.crashes import Gate
from fenix.simulation.each_step import crash, steps
from fenix.simulation.scenario import FaultModel, ReplyFault, Scenario
from fenix.simulation.soak import SETTINGS, Played, play
from tests.simulation.databases import blank_database
from tests.simulation.people import refuses, script
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import host, instance, project, scene

BUILDING = 100


def builders(*more: dict[str, Any], lead_time: int = 300, recovery: int = 40) -> Scenario:
    """Each host but the last has a member of one group, which its manager builds anew slowly."""
    slow = {"migration_type": "OWN_ACTION", "migration_seconds": BUILDING, "lead_time": lead_time}
    return scene(
        hosts=[host(f"compute-{number}") for number in (1, 2, 3)],
        projects=[project("app"), project("other")],
        groups=[
            {"id": "app", "project": "app", "max_impacted_members": 1, "recovery_time": recovery}
        ],
        instances=[
            *(
                instance(f"i-{number}", f"compute-{number}", group="app", **slow)
                for number in (1, 2)
            ),
            *more,
        ],
        session={"workflow": "vnf"},
    )


def built(ending: Ending) -> list[float]:
    """When members of the group were built anew, in seconds from the start."""
    return [one["t"] for one in ending.of("instance.created") if one["group"] == "app"]


def deaths_in(scenario: Scenario, every: int, **options: Any) -> Iterator[Played]:
    """The session with an engine that dies at one in so many steps."""
    chosen = SessionOptions(**options)
    whole = Gate()
    clock.run(play(scenario, [whole], chosen, blank_database()))
    for number in range(1, len(whole.effects) + 1, every):
        gates = [Gate(number, after=True), Gate()]
        yield clock.run(play(scenario, gates, chosen, blank_database()))


def test_one_after_the_other_has_recovered() -> None:
    first, second = built(perform(builders()))
    assert second >= first + 40 + BUILDING


def test_a_host_that_is_left_meanwhile_makes_no_difference() -> None:
    later = [instance(f"later-{number}", "compute-2") for number in (1, 2)]
    ending = perform(
        builders(instance("no", "compute-1", project="other", lead_time=10), *later),
        prepare=lambda stage: script(
            stage, "other", PREPARE_MAINTENANCE=refuses, PLANNED_MAINTENANCE=refuses
        ),
        silent_projects=SilentPolicy.SKIP_HOST,
        nack_retries=0,
    )
    assert ending.hosts["compute-1"].state == "SKIPPED"
    first, second = built(ending)
    assert second >= first + 40 + BUILDING


@pytest.mark.parametrize("part", range(4))
def test_an_engine_may_die_meanwhile(part: int) -> None:
    scenario = builders(instance("other", "compute-1", project="other"))
    found = steps(scenario, blank_database())[part::4]
    assert {
        str(step): problems
        for step in found
        if (problems := crash(scenario, [step], blank_database()))
    } == {}


def test_after_a_death_nobody_waits_longer_than_there_is_something_to_do() -> None:
    scenario = builders(lead_time=10_000)
    ends = [played.stage.log.events[-1]["t"] for played in deaths_in(scenario, every=4)]
    assert len(ends) > 5
    assert max(ends) < SETTINGS.lease_seconds + 1000


def test_recovery_goes_on_after_a_death() -> None:
    long = int(SETTINGS.lease_seconds) + BUILDING + 500
    for played in deaths_in(builders(recovery=long), every=2):
        assert played.stage.invariants.violations == []


def test_a_refusal_before_a_death_holds_nobody_up_after_it() -> None:
    scenario = builders(lead_time=100_000)
    unwilling = ReplyFault.NACK
    fault = FaultModel(project="app", reply=unwilling, state=ProjectState.PREPARE_MAINTENANCE)
    scenario = scenario.model_copy(update={"faults": (fault,)})
    options: dict[str, Any] = {"silent_projects": SilentPolicy.SKIP_HOST, "nack_retries": 0}
    states, ends = set(), []
    for played in deaths_in(scenario, every=3, **options):
        states.add(played.session.state)
        ends.append(played.stage.log.events[-1]["t"])
    assert states == {"MAINTENANCE_DONE"}
    assert max(ends) < SETTINGS.lease_seconds + 1000
