"""Moves may fail once or for good, and instances may come and go by themselves."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fenix.clouds.simulated import SimulatedInstance, World
from fenix.domain import InstanceState, InstanceStatus, MoveAction, MoveState, Resources
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import host, instance, scene


def fault(kind: str, times: int = 1) -> list[dict[str, Any]]:
    """The next moves of instance i-1 go wrong."""
    return [{"instance": "i-1", "move": kind, "times": times}]


def alone(faults: list[dict[str, Any]], **more: Any) -> Any:
    """One instance, and two empty hosts."""
    return scene(instances=[instance("i-1", "compute-1")], faults=faults, **more)


def errors(ending: Ending) -> list[str | None]:
    """Why the moves failed that did."""
    return [one.error for one in ending.moves if one.state is MoveState.FAILED]


@pytest.mark.parametrize("kind", ["fails", "refused"])
def test_a_move_that_fails_is_tried_again_elsewhere(kind: str) -> None:
    ending = perform(alone(fault(kind)))
    first, second = ending.moves
    assert (first.state, second.state) == (MoveState.FAILED, MoveState.DONE)
    assert {first.target, second.target} == {"compute-2", "compute-3"}
    assert [message.state for message in ending.sent].count("INSTANCE_ACTION_DONE") == 1


def test_it_is_tried_again_on_the_same_host_where_there_is_no_other() -> None:
    ending = perform(alone(fault("fails"), hosts=[host("compute-1"), host("compute-2")]))
    assert [one.target for one in ending.moves] == ["compute-2", "compute-2"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("fails", "the move failed in the middle"),
        ("refused", "the move of instance i-1 is refused"),
    ],
)
def test_a_move_that_always_fails_fails_the_session(kind: str, why: str) -> None:
    ending = perform(alone(fault(kind, times=100)), state="MAINTENANCE_FAILED")
    assert ending.reason == f"instance i-1 could not be moved off compute-1: {why}"
    assert errors(ending) == [why] * 3
    assert ending.instances["i-1"].state is InstanceState.FAILED
    assert ending.disabled() == set()


def test_an_instance_in_error_fails_the_session() -> None:
    ending = perform(alone(fault("error")), state="MAINTENANCE_FAILED")
    assert ending.reason == (
        "instance i-1 is in ERROR on host compute-1: the move failed in the middle"
    )
    assert len(ending.moves) == 1


def test_an_instance_that_was_in_error_before_is_not_touched() -> None:
    def break_it(stage: Any) -> None:
        stage.world.instances["i-1"].status = InstanceStatus.ERROR

    ending = perform(alone([]), prepare=break_it, state="MAINTENANCE_FAILED")
    assert ending.reason == "instance i-1 is in ERROR on host compute-1"
    assert ending.moves == []


def test_a_move_that_never_ends_is_given_up() -> None:
    ending = perform(alone(fault("stuck")), state="MAINTENANCE_FAILED", move_timeout=500.0)
    assert errors(ending) == ["it did not end within 500 s"]
    assert "instance i-1" in ending.reason
    assert "it did not end within 500 s" in ending.reason
    started = ending.first("instance.move.started")
    assert ending.first("session.state", state="MAINTENANCE_FAILED") == started + 500 + 120


def test_a_move_that_is_over_only_after_its_time_counts() -> None:
    """The move takes 10 s and may take 5: by the next look it has brought the instance away."""
    ending = perform(alone([]), move_timeout=5.0)
    assert errors(ending) == ["it did not end within 5 s"]
    assert ending.places() == {"i-1": "compute-2"}


def test_an_instance_may_vanish_while_its_manager_is_asked() -> None:
    async def story(play: Play) -> None:
        await play.event("project.notified", state="PLANNED_MAINTENANCE")
        play.stage.world.delete_instance("i-1")

    ending = perform(scene(), story)
    assert ending.instances["i-1"].state is InstanceState.GONE
    assert {one.instance_id for one in ending.moves} == {"i-2"}


def test_an_instance_may_vanish_while_it_is_moved() -> None:
    async def story(play: Play) -> None:
        await play.event("instance.move.started", instance="i-1")
        play.stage.world.delete_instance("i-1")

    ending = perform(scene(), story)
    assert ending.instances["i-1"].state is InstanceState.GONE
    assert errors(ending) == ["the instance is gone"]


def test_an_instance_may_leave_its_host_by_itself() -> None:
    """An operator moves it while its manager is asked."""

    async def story(play: Play) -> None:
        await play.event("project.notified", state="PLANNED_MAINTENANCE")
        play.stage.world.start_move("i-1", MoveAction.LIVE_MIGRATE, "compute-3")

    ending = perform(
        scene(),
        story,
        violations=["t=65.0: instance i-1 moves without an ACK"],
    )
    assert {one.instance_id for one in ending.moves} == {"i-2"}


def land(world: World, ident: str, on: str) -> None:
    """An instance of project `app` that is put on a host, enabled or not."""
    fresh = SimulatedInstance(ident, ident, "app", Resources(2, 2048, 20))
    reason = world.hosts[on].disabled_reason
    if reason:
        world.hosts[on].enabled = True
    others = [name for name, host in world.hosts.items() if name != on and host.up]
    for name in others:
        world.hosts[name].up = False
    world.create_instance(replace(fresh))
    for name in others:
        world.hosts[name].up = True
    world.hosts[on].enabled = reason is None


@pytest.mark.parametrize("moment", ["project.notified", "instance.move.started"])
def test_an_instance_that_appears_on_a_draining_host_is_moved_as_well(moment: str) -> None:
    async def story(play: Play) -> None:
        await play.event("project.notified", state="PLANNED_MAINTENANCE")
        await play.event(moment)
        land(play.stage.world, "late", "compute-1")

    ending = perform(scene(), story)
    assert ending.places()["late"] != "compute-1"
    assert Counter(one.instance_id for one in ending.moves)["late"] == 1


def test_a_target_that_fills_up_meanwhile_is_replaced() -> None:
    """While the manager is asked somebody else takes the room on the planned host."""

    async def story(play: Play) -> None:
        await play.event("project.notified", state="PLANNED_MAINTENANCE")
        for number in range(4):
            land(play.stage.world, f"other-{number}", "compute-2")

    ending = perform(alone([]), story)
    moved = [one for one in ending.moves if one.instance_id == "i-1"]
    assert [one.target for one in moved] == ["compute-3"]
