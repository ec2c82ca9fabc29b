"""Moves of workflow `default` beside one another: slots, room, and what ends the session."""

import asyncio

import pytest

from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import host, instance, scene
from tests.simulation.test_moves_that_fail import errors, land

OTHERS = {"session": {"hosts": ["compute-1"]}}
"""The other hosts take instances for good."""


def starts(ending: Ending) -> dict[str, float]:
    """When the last move of each instance began, in seconds from the start."""
    return {event["instance"]: event["t"] for event in ending.of("instance.move.started")}


def test_a_move_that_overruns_keeps_its_slot_until_the_cloud_has_ended_it() -> None:
    slow = instance("i-1", "compute-1", live_migration_seconds=100)
    ending = perform(
        scene(
            instances=[slow, instance("i-2", "compute-1")],
            limits={"parallel_migrations": 1},
            **OTHERS,
        ),
        move_timeout=50.0,
    )
    assert errors(ending) == ["it did not end within 50 s"]
    assert starts(ending)["i-2"] >= starts(ending)["i-1"] + 100


@pytest.mark.parametrize("after", [20.0, 70.0])
def test_one_that_overruns_keeps_its_slot_where_another_engine_takes_over(after: float) -> None:
    """While the engine still waits for it, and when only the cloud still makes it."""

    async def story(play: Play) -> None:
        await play.event("instance.move.started")
        await asyncio.sleep(after)
        await play.stop("engine-1")
        play.start("engine-2")

    slow = instance("i-1", "compute-1", live_migration_seconds=100)
    ending = perform(
        scene(
            instances=[slow, instance("i-2", "compute-1")],
            limits={"parallel_migrations": 1},
            **OTHERS,
        ),
        story,
        move_timeout=50.0,
    )
    assert starts(ending)["i-2"] >= starts(ending)["i-1"] + 100


def test_no_move_begins_after_one_has_failed_the_session() -> None:
    ending = perform(
        scene(
            instances=[instance(f"i-{number}", "compute-1") for number in (1, 2, 3)],
            limits={"parallel_migrations": 1},
            faults=[{"instance": "i-1", "move": "error", "times": 1}],
            **OTHERS,
        ),
        state="MAINTENANCE_FAILED",
    )
    assert set(starts(ending)) == {"i-1"}
    assert ending.reason == (
        "instance i-1 is in ERROR on host compute-1: the move failed in the middle"
    )


def test_two_instances_that_need_another_target_do_not_choose_the_same_room() -> None:
    """While their manager is asked, their target is filled, and two hosts get room for one each."""
    full = [instance(f"{on}-{n}", on) for on in ("compute-3", "compute-4") for n in range(4)]

    async def story(play: Play) -> None:
        await play.event("project.notified", state="PLANNED_MAINTENANCE")
        world = play.stage.world
        for number in range(4):
            land(world, f"other-{number}", "compute-2")
        for name in ("compute-3", "compute-4"):
            world.delete_instance(f"{name}-0")

    ending = perform(
        scene(
            hosts=[host(f"compute-{number}") for number in (1, 2, 3, 4)],
            instances=[instance("i-1", "compute-1"), instance("i-2", "compute-1"), *full],
            **OTHERS,
        ),
        story,
    )
    assert errors(ending) == []
    places = ending.places()
    assert {places["i-1"], places["i-2"]} == {"compute-3", "compute-4"}


def test_a_host_that_a_member_of_the_group_has_just_left_is_no_good_target() -> None:
    """Nova's scheduler would refuse it: it goes on counting that member there for a while."""
    group = {"id": "pair", "project": "app", "anti_affinity": True, "max_impacted_members": 2}
    ending = perform(
        scene(
            hosts=[host(f"compute-{number}") for number in (1, 2, 3, 4)],
            groups=[group],
            instances=[
                instance("i-1", "compute-1", group="pair"),
                instance("i-2", "compute-2", group="pair"),
            ],
            limits={"parallel_hosts": 1},
            session={
                "hosts": ["compute-1", "compute-2"],
                "actions": [{"plugin": "simulated", "type": "host", "seconds": 30}],
            },
        )
    )
    assert starts(ending)["i-2"] < starts(ending)["i-1"] + 120
    assert ending.places() == {"i-1": "compute-3", "i-2": "compute-4"}
