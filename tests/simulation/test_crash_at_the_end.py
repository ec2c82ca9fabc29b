"""An engine may also die while it ends a session that failed or is deleted."""

from collections.abc import Callable
from functools import partial

import pytest

from fenix.simulation.running import Stage
from tests.simulation.crashing import Crash, Deeds, crash_points, failures, perform_with_crashes
from tests.simulation.people import refuses, script
from tests.simulation.play import Play, Story
from tests.simulation.scenes import doctor


def broken_host(stage: Stage) -> None:
    """The work on the second host fails."""
    stage.actions.failing["compute-1"] = "the new kernel does not boot"


def unwilling(stage: Stage) -> None:
    """The manager does not let its instances go to maintained hosts."""
    script(stage, "doctor", PLANNED_MAINTENANCE=refuses)


@pytest.mark.parametrize(
    ("prepare", "kind", "keys"),
    [
        pytest.param(
            broken_host,
            "host.maintenance.finished",
            {"host": "compute-1"},
            marks=pytest.mark.services,
        ),
        pytest.param(
            unwilling,
            "project.replied",
            {"state": "NACK_PLANNED_MAINTENANCE"},
            marks=pytest.mark.services,
        ),
    ],
)
def test_a_crash_at_each_step_of_a_failure_changes_nothing(
    prepare: Callable[[Stage], None], kind: str, keys: dict[str, str]
) -> None:
    play = partial(perform_with_crashes, doctor(), prepare=prepare, state="MAINTENANCE_FAILED")
    gates, ending = play()
    expected = Deeds.of(ending)

    def crashed(crash: Crash) -> Deeds:
        return Deeds.of(play(crash)[1])

    points = list(crash_points(gates[0], since=ending.first(kind, **keys)))
    assert len(points) > 10
    assert failures(points, crashed, expected) == []


def deleted_at(kind: str, **keys: str) -> Story:
    """An administrator deletes the session when something has happened."""

    async def story(play: Play) -> None:
        await play.event(kind, **keys)
        await play.delete()

    return story


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("project.notified", {"state": "SCALE_IN"}),
        pytest.param("instance.move.started", {"instance": "i-00001"}, marks=pytest.mark.services),
        pytest.param("host.maintenance.started", {"host": "compute-1"}, marks=pytest.mark.services),
        pytest.param(
            "project.notified", {"state": "MAINTENANCE_COMPLETE"}, marks=pytest.mark.services
        ),
    ],
)
def test_a_crash_at_each_step_of_a_deletion_changes_nothing(
    kind: str, keys: dict[str, str]
) -> None:
    play = partial(perform_with_crashes, doctor(), story=deleted_at(kind, **keys), state=None)
    gates, ending = play()
    expected = Deeds.of(ending)

    def crashed(crash: Crash) -> Deeds:
        return Deeds.of(play(crash)[1])

    points = list(crash_points(gates[0], since=ending.first(kind, **keys)))
    assert len(points) > 10
    assert failures(points, crashed, expected) == []
