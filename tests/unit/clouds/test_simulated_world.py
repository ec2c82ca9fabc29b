"""The simulated world keeps the promises of the scenario format, whatever is done to it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fenix.clouds import CloudError, MovePhase
from fenix.clouds.simulated import (
    Fault,
    SimulatedGroup,
    SimulatedHost,
    SimulatedInstance,
    SimulatedMove,
    World,
)
from fenix.domain import ZERO, HostType, InstanceStatus, MoveAction, Resources

SIZE = Resources(2, 2048, 20)
LIVE, COLD = MoveAction.LIVE_MIGRATE, MoveAction.MIGRATE


def host(name: str, **more: Any) -> SimulatedHost:
    return SimulatedHost(name, Resources(4, 8192, 100), **more)


def instance(ident: str, on: str = "", **more: Any) -> SimulatedInstance:
    return SimulatedInstance(
        ident,
        ident,
        "app",
        SIZE,
        on,
        live_migration_seconds=0.01,
        migration_seconds=0.01,
        **more,
    )


def running(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(limited())


async def ended(world: World, move: SimulatedMove) -> None:
    while move.phase is MovePhase.RUNNING:
        await world.changed.wait()


def phase(move: SimulatedMove) -> MovePhase:
    """Its phase now, whatever a test has asserted of it before."""
    return move.phase


def used(world: World) -> dict[str, Resources]:
    return {name: host.used for name, host in world.hosts.items()}


def test_a_move_holds_room_on_both_hosts_until_it_ends() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], (), [instance("i", "a")])
        move = world.start_move("i", LIVE, "b")
        assert used(world) == {"a": SIZE, "b": SIZE}
        assert world.inventory().hosts["b"].used == SIZE
        assert world.inventory().instances["i"].status is InstanceStatus.BUSY
        await ended(world, move)
        assert move.phase is MovePhase.DONE
        assert used(world) == {"a": ZERO, "b": SIZE}
        moved = world.inventory().instances["i"]
        assert (moved.host, moved.status) == ("b", InstanceStatus.ACTIVE)

    running(test)


def test_room_that_two_moves_want_goes_to_one() -> None:
    async def test() -> None:
        world = World(
            [host("a"), host("b")], (), [instance("1", "a"), instance("2", "a"), instance("3", "b")]
        )
        world.start_move("1", LIVE, "b")
        with pytest.raises(CloudError, match="host b does not take instance 2: it has only 0 vCPU"):
            world.start_move("2", LIVE, "b")
        assert used(world)["b"] == SIZE.plus(SIZE)

    running(test)


def test_a_cold_migration_holds_room_on_both_hosts_until_it_is_confirmed() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], (), [instance("i", "a")])
        move = world.start_move("i", COLD, "b")
        await ended(world, move)
        assert phase(move) is MovePhase.AWAITING_CONFIRM
        assert world.instances["i"].host == "b"
        assert used(world) == {"a": SIZE, "b": SIZE}
        with pytest.raises(CloudError, match="instance i is BUSY"):
            world.start_move("i", LIVE, "a")
        world.confirm_move("i")
        assert phase(move) is MovePhase.DONE
        assert used(world) == {"a": ZERO, "b": SIZE}
        world.confirm_move("i")
        assert used(world) == {"a": ZERO, "b": SIZE}

    running(test)


@pytest.mark.parametrize("action", [LIVE, COLD])
@pytest.mark.parametrize("arrived", [False, True])
def test_deletion_during_a_move_restores_room(action: MoveAction, arrived: bool) -> None:
    async def test() -> None:
        group = SimulatedGroup("g", "app", anti_affinity=True)
        world = World([host("a"), host("b")], [group], [instance("i", "a", group_id="g")])
        move = world.start_move("i", action, "b")
        if arrived:
            await ended(world, move)
        world.delete_instance("i")
        world.delete_instance("i")
        assert used(world) == {"a": ZERO, "b": ZERO}
        assert [host.members for host in world.hosts.values()] == [{"g": 0}, {"g": 0}]
        assert world.inventory().instances == {}
        # The timer of the move still runs out, and finds nothing to do.
        another = world.start_move(world.create_instance(instance("j")).id, LIVE, None)
        await ended(world, another)
        assert world.hosts[another.source].used == ZERO

    running(test)


def test_anti_affinity_counts_members_on_their_way() -> None:
    async def test() -> None:
        group = SimulatedGroup("g", "app", anti_affinity=True)
        members = [instance("1", "a", group_id="g"), instance("2", "b", group_id="g")]
        world = World([host("a"), host("b"), host("c")], [group], members)
        with pytest.raises(CloudError, match="1 of at most 1 members of group g"):
            world.start_move("1", LIVE, "b")
        move = world.start_move("1", LIVE, "c")
        with pytest.raises(CloudError, match="1 of at most 1 members of group g"):
            world.start_move("2", LIVE, "c")
        with pytest.raises(CloudError, match="no valid host"):
            world.create_instance(instance("3", group_id="g"))
        await ended(world, move)
        world.start_move("2", LIVE, "a")

    running(test)


def test_a_group_may_allow_several_members_on_a_host() -> None:
    async def test() -> None:
        group = SimulatedGroup("g", "app", anti_affinity=True, max_instances_per_host=2)
        world = World([SimulatedHost("a", Resources(99, 99999, 999))], [group])
        world.create_instance(instance("1", group_id="g"))
        world.create_instance(instance("2", group_id="g"))
        with pytest.raises(CloudError, match="no valid host"):
            world.create_instance(instance("3", group_id="g"))

    running(test)


def test_the_scheduler_takes_the_enabled_host_with_most_free_vcpus() -> None:
    async def test() -> None:
        world = World(
            [
                host("a"),
                host("b"),
                host("down", up=False),
                host("off", enabled=False),
                host("control", type=HostType.CONTROLLER),
                host("far", zone="far"),
            ],
            (),
            [instance("i", "a")],
        )
        assert world.create_instance(instance("j", zone="nova")).host == "b"
        assert world.create_instance(instance("k", zone="nova"), avoid="b").host == "a"
        with pytest.raises(CloudError, match="it is down"):
            world.start_move("i", LIVE, "down")
        with pytest.raises(CloudError, match="it is disabled"):
            world.start_move("i", LIVE, "off")
        with pytest.raises(CloudError, match="not a compute host"):
            world.start_move("i", LIVE, "control")
        with pytest.raises(CloudError, match="not in zone nova"):
            world.start_move("j", LIVE, "far")
        with pytest.raises(CloudError, match="there already"):
            world.start_move("i", LIVE, "a")
        with pytest.raises(CloudError, match="host nowhere could not be found"):
            world.start_move("i", LIVE, "nowhere")
        with pytest.raises(CloudError, match="instance nobody could not be found"):
            world.start_move("nobody", LIVE, "b")
        with pytest.raises(CloudError, match="OWN_ACTION is no move"):
            world.start_move("i", MoveAction.OWN_ACTION, "b")
        assert world.moves == {}

    running(test)


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.FAILS, InstanceStatus.ACTIVE), (Fault.ERROR, InstanceStatus.ERROR)],
)
def test_a_move_that_fails_leaves_the_instance_where_it_was(
    fault: Fault, status: InstanceStatus
) -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], (), [instance("i", "a")])
        world.faults["i"].append(fault)
        move = world.start_move("i", COLD, "b")
        await ended(world, move)
        assert (move.phase, world.instances["i"].host) == (MovePhase.FAILED, "a")
        assert world.inventory().instances["i"].status is status
        assert used(world) == {"a": SIZE, "b": ZERO}

    running(test)


def test_the_inventory_of_a_host_is_the_part_of_the_whole_that_is_on_it() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], [], [instance("1", "a"), instance("2", "a")])

        def assert_parts() -> None:
            whole = world.inventory()
            for name in world.hosts:
                part = world.inventory_of(name)
                assert part.hosts == {name: whole.hosts[name]}
                assert set(part.instances.values()) == set(whole.on(name))

        assert_parts()
        move = world.start_move("1", LIVE, "b")
        world.disable_host("a", "why")
        assert_parts()
        assert world.inventory_of("a").instances["1"].status is InstanceStatus.BUSY
        await ended(world, move)
        assert set(world.inventory_of("b").instances) == {"1"}
        assert_parts()
        world.delete_instance("2")
        assert not world.inventory_of("a").instances
        assert_parts()
        del world.hosts["a"]
        world.touch()
        assert not world.inventory_of("a").hosts

    running(test)


def test_a_fault_strikes_once() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], (), [instance("i", "a")])
        world.faults["i"].append(Fault.REFUSED)
        with pytest.raises(CloudError, match="refused"):
            world.start_move("i", LIVE, "b")
        assert used(world)["b"] == ZERO
        move = world.start_move("i", LIVE, "b")
        await ended(world, move)
        assert move.phase is MovePhase.DONE

    running(test)


def test_a_stuck_move_ends_only_when_a_host_dies() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")], (), [instance("i", "a"), instance("j", "a")])
        world.faults["i"].append(Fault.STUCK)
        stuck = world.start_move("i", LIVE, "b")
        other = world.start_move("j", LIVE, "b")
        await ended(world, other)
        assert stuck.phase is MovePhase.RUNNING
        world.set_host_up("b", False)
        assert (stuck.phase, stuck.detail) == (MovePhase.FAILED, "host b is down")
        assert used(world) == {"a": SIZE, "b": SIZE}

    running(test)


def test_moves_from_and_to_a_host_that_dies_fail() -> None:
    async def test() -> None:
        world = World(
            [host("a"), host("b"), host("c")], (), [instance("1", "a"), instance("2", "b")]
        )
        away = world.start_move("1", LIVE, "c")
        to = world.start_move("2", LIVE, "a")
        world.set_host_up("a", False)
        assert (away.phase, to.phase) == (MovePhase.FAILED, MovePhase.FAILED)
        assert used(world) == {"a": SIZE, "b": SIZE, "c": ZERO}
        assert not world.inventory().hosts["a"].up

    running(test)


def test_only_the_reason_that_disabled_a_host_enables_it() -> None:
    async def test() -> None:
        world = World([host("a"), host("b", enabled=False, disabled_reason="broken")])
        assert world.disable_host("a", "us")
        assert world.disable_host("a", "us")
        assert not world.disable_host("a", "them")
        assert not world.enable_host("a", "them")
        assert world.inventory().hosts["a"].disabled_reason == "us"
        assert world.enable_host("a", "us")
        assert world.enable_host("a", "us")
        assert not world.disable_host("b", "us")
        assert not world.enable_host("b", "us")
        assert world.inventory().hosts["b"].disabled_reason == "broken"

    running(test)


def test_the_world_refuses_more_than_fits() -> None:
    with pytest.raises(CloudError, match="host a has no room for instance 3"):
        World([host("a")], (), [instance(ident, "a") for ident in "123"])
    with pytest.raises(CloudError, match="host x could not be found"):
        World([host("a")], (), [instance("1", "x")])


def test_listeners_hear_the_truth_in_order() -> None:
    async def test() -> None:
        world = World([host("a"), host("b")])
        heard: list[tuple[str, dict[str, Any]]] = []
        world.listeners.append(lambda t, kind, keys: heard.append((kind, keys)))
        world.create_instance(instance("i"), avoid="b")
        await ended(world, world.start_move("i", LIVE, "b"))
        world.delete_instance("i")
        assert [kind for kind, _ in heard] == [
            "instance.created",
            "instance.move.started",
            "instance.move.finished",
            "instance.deleted",
        ]
        assert heard[1][1] == {
            "instance": "i",
            "source": "a",
            "target": "b",
            "action": "LIVE_MIGRATE",
        }
        assert heard[2][1] == {"instance": "i", "host": "b", "ok": True}

    running(test)
