"""Hosts that others disable, that die, and whose work fails."""

import asyncio
from typing import Any

import pytest

from fenix.domain import HostState, MoveState
from fenix.simulation.running import Stage
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import action, host, instance, scene


def disabled_before(*names: str) -> Any:
    """Somebody has disabled hosts for a reason of their own, before the session."""

    def prepare(stage: Stage) -> None:
        for name in names:
            stage.world.disable_host(name, "broken disk")

    return prepare


def news(ending: Ending, name: str) -> list[str]:
    """What infrastructure services were told of a host."""
    return [one.state for one in ending.sent if one.payload.get("host") == name]


def test_a_host_that_others_have_disabled_is_worked_on_and_left_as_it_was() -> None:
    ending = perform(
        scene(instances=[instance("i-1", "compute-1")]),
        prepare=disabled_before("compute-2"),
        violations=["at the end: host compute-2 is left disabled"],
    )
    assert ending.disabled() == {"compute-2"}
    assert ending.stage.world.hosts["compute-2"].disabled_reason == "broken disk"
    assert ending.hosts["compute-2"].state is HostState.MAINTAINED
    assert ending.places() == {"i-1": "compute-3"}


def test_a_full_host_that_others_have_disabled_is_emptied_worked_on_and_left() -> None:
    ending = perform(
        scene(),
        prepare=disabled_before("compute-1"),
        violations=["at the end: host compute-1 is left disabled"],
    )
    assert ending.disabled() == {"compute-1"}
    assert "compute-1" not in ending.places().values()


def test_a_host_that_others_disable_in_the_middle_stays_disabled() -> None:
    """While it is worked on they put their own reason in place of ours."""

    async def story(play: Play) -> None:
        await play.event("host.maintenance.started", host="compute-3")
        play.stage.world.hosts["compute-3"].disabled_reason = "broken disk"

    ending = perform(scene(), story, violations=["at the end: host compute-3 is left disabled"])
    assert ending.disabled() == {"compute-3"}
    left = [entry for entry in ending.timeline if entry.what == "host.left_disabled"]
    assert [(entry.host, entry.why) for entry in left] == [
        ("compute-3", "somebody else disabled it meanwhile")
    ]
    assert "compute-3" not in ending.places().values()


def test_a_host_that_others_enable_in_the_middle_is_not_worked_on() -> None:
    async def story(play: Play) -> None:
        await play.event("instance.move.started")
        world = play.stage.world
        world.enable_host("compute-1", str(world.hosts["compute-1"].disabled_reason))

    ending = perform(scene(), story, state="MAINTENANCE_FAILED")
    assert "host compute-1 was to be worked on, but it is enabled" in ending.reason


def die(name: str, until: float | None, at: float) -> list[dict[str, Any]]:
    return [{"host": name, "at": at, "until": until}]


def test_a_host_that_dies_for_a_while_as_it_is_drained_delays_the_session() -> None:
    """Moves from it fail at once while it is down; at the third try it is back."""
    ending = perform(scene(faults=die("compute-1", 71, at=70)))
    assert MoveState.FAILED in {one.state for one in ending.moves}
    assert ending.stage.world.hosts["compute-1"].up


def test_a_host_that_stays_dead_fails_and_stays_disabled() -> None:
    ending = perform(scene(faults=die("compute-3", None, at=20)), state="MAINTENANCE_FAILED")
    assert ending.reason == "host compute-3 did not come back up within 120 s"
    assert ending.hosts["compute-3"].state is HostState.FAILED
    assert ending.disabled() == {"compute-3"}
    assert news(ending, "compute-3") == ["IN_MAINTENANCE", "MAINTENANCE_FAILED"]


def test_a_host_that_is_back_late_after_its_work_is_waited_for() -> None:
    ending = perform(scene(faults=die("compute-3", 100, at=20)))
    assert ending.first("host.enabled", host="compute-3") >= 100


def test_a_host_that_is_down_is_no_target() -> None:
    """The one that was planned dies while the manager is asked."""
    ending = perform(
        scene(
            hosts=[host(f"compute-{n}") for n in (1, 2, 3)],
            instances=[instance("i-1", "compute-1")],
            faults=die("compute-2", 200, at=5.5),
            session={"hosts": ["compute-1"]},
        )
    )
    assert [one.target for one in ending.moves] == ["compute-3"]


def failing(*names: str) -> Any:
    def prepare(stage: Stage) -> None:
        stage.actions.failing.update(dict.fromkeys(names, "the new kernel does not boot"))

    return prepare


def test_a_host_whose_work_fails_stays_disabled_and_the_others_are_enabled() -> None:
    ending = perform(scene(), prepare=failing("compute-1"), state="MAINTENANCE_FAILED")
    assert ending.reason == (
        "host compute-1: host action simulated failed: the new kernel does not boot"
    )
    assert {name: one.state for name, one in ending.hosts.items()} == {
        "compute-1": HostState.FAILED,
        "compute-2": HostState.MAINTAINED,
        "compute-3": HostState.MAINTAINED,
    }
    assert ending.disabled() == {"compute-1"}
    assert news(ending, "compute-1") == ["IN_MAINTENANCE", "MAINTENANCE_FAILED"]
    assert news(ending, "compute-2") == ["IN_MAINTENANCE", "MAINTENANCE_COMPLETE"]


def test_all_hosts_that_fail_are_named() -> None:
    ending = perform(scene(), prepare=failing("compute-1", "compute-2"), state="MAINTENANCE_FAILED")
    assert "host compute-1: host action" in ending.reason
    assert "host compute-2: host action" in ending.reason
    assert ending.disabled() == {"compute-1", "compute-2"}


def test_work_that_takes_too_long_fails() -> None:
    ending = perform(
        scene(session={"actions": [action(seconds=1000)]}),
        action_timeout=100.0,
        state="MAINTENANCE_FAILED",
    )
    assert ending.reason == (
        "host compute-3: host action simulated failed: it did not end within 100 s"
    )
    assert ending.first("host.maintenance.finished") == 105.0
    assert ending.disabled() == {"compute-3"}


LOST = "host compute-1 is not in the cloud any more"


@pytest.mark.parametrize(
    ("at", "reason"),
    [(3, LOST), (20, LOST), (70, LOST), (100, "host compute-1 did not come back up within 120 s")],
)
def test_a_host_that_leaves_the_cloud_fails_the_session_with_its_name(
    at: float, reason: str
) -> None:
    """Its compute service is deleted; nothing can be enabled there any more."""

    async def story(play: Play) -> None:
        await asyncio.sleep(at)
        world = play.stage.world
        for ident in [one.id for one in world.instances.values() if one.host == "compute-1"]:
            world.delete_instance(ident)
        del world.hosts["compute-1"]
        world.touch()

    ours = 5 < at < 100
    ending = perform(
        scene(),
        story,
        state="MAINTENANCE_FAILED",
        violations=["at the end: host compute-1 is left disabled"] if ours else [],
    )
    assert ending.reason == reason
    assert ending.disabled() == set()
    told = [entry.host for entry in ending.timeline if entry.what == "host.left_disabled"]
    assert told == (["compute-1"] if ours else [])
