"""Workflow `vnf`: a move that the cloud still makes when its time is over goes on to count."""

import asyncio

import pytest

from fenix.simulation.scenario import Scenario
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import instance
from tests.simulation.test_moves_that_fail import errors
from tests.simulation.test_vnf_managers import vnf

TIMEOUT = 50.0
TAKES = 100.0
RECOVERY = 60.0


def scenario() -> Scenario:
    """Two members of a group on one host, of which one may be impacted, and one move at a time."""
    return vnf(
        session={"hosts": ["compute-1"], "notice_seconds": 5},
        groups=[
            {
                "id": "pair",
                "project": "app",
                "max_impacted_members": 1,
                "recovery_time": RECOVERY,
            }
        ],
        instances=[
            instance("i-1", "compute-1", group="pair", live_migration_seconds=TAKES),
            instance("i-2", "compute-1", group="pair", live_migration_seconds=TAKES),
        ],
        limits={"parallel_migrations": 1},
    )


def spans(ending: Ending) -> list[tuple[float, float]]:
    """When each move truly began and ended."""
    begins = [event["t"] for event in ending.of("instance.move.started")]
    ends = [event["t"] for event in ending.of("instance.move.finished")]
    return list(zip(begins, ends, strict=True))


def test_it_keeps_its_slot_and_its_impact_until_the_cloud_has_ended_it() -> None:
    ending = perform(scenario(), move_timeout=TIMEOUT)
    assert errors(ending) == [f"it did not end within {TIMEOUT:g} s"] * 2
    (_, end), (begin, _) = spans(ending)
    assert begin >= end + RECOVERY


@pytest.mark.parametrize("after", [20.0, 49.0, 51.0, 70.0, 99.0, 101.0, 130.0])
def test_also_where_another_engine_takes_over(after: float) -> None:
    """Before the time is over, while the cloud is still busy, and while the member recovers."""

    async def story(play: Play) -> None:
        await play.event("instance.move.started")
        await asyncio.sleep(after)
        await play.stop("engine-1")
        play.start("engine-2")

    ending = perform(scenario(), story, move_timeout=TIMEOUT)
    (_, end), (begin, _) = spans(ending)
    assert begin >= end + RECOVERY
