"""The last resort of the rolling: single moves from host to host until one is empty."""

from fenix.domain import Constraints, Host, Instance, Inventory, Resources
from fenix.planning.detour import detour
from fenix.planning.rolling import Rolling, RollingOptions
from fenix.planning.room import Room


def size(vcpus: int) -> Resources:
    return Resources(vcpus, 1, 1)


def cloud(capacity: dict[str, int], instances: dict[str, tuple[str, int]]) -> Inventory:
    """Hosts with their vCPUs; for each instance its host and its vCPUs."""
    used = dict.fromkeys(capacity, Resources(0, 0, 0))
    for host, vcpus in instances.values():
        used[host] = used[host].plus(size(vcpus))
    return Inventory(
        {
            name: Host(name=name, capacity=Resources(vcpus, 100, 100), used=used[name])
            for name, vcpus in capacity.items()
        },
        {
            ident: Instance(ident, ident, "app", host, size(vcpus))
            for ident, (host, vcpus) in instances.items()
        },
        {},
    )


SHUFFLE = cloud(
    {"a": 8, "b": 8, "c": 4},
    {"a1": ("a", 4), "a2": ("a", 2), "b1": ("b", 5), "c1": ("c", 1), "c2": ("c", 1)},
)


def test_the_shortest_series_of_moves_is_found_and_the_ledger_is_as_before() -> None:
    room = Room(SHUFFLE)
    on = {name: {one.id: one for one in SHUFFLE.on(name)} for name in SHUFFLE.hosts}
    before = {name: room.free(name) for name in SHUFFLE.hosts}
    steps = detour(on, room, SHUFFLE.hosts, ["a", "c"])
    assert steps is not None
    assert {step.source for step in steps} == {"c"}
    assert len(steps) == 2
    assert {name: room.free(name) for name in SHUFFLE.hosts} == before


def test_each_move_of_a_detour_is_possible_when_its_turn_comes() -> None:
    room = Room(SHUFFLE)
    on = {name: {one.id: one for one in SHUFFLE.on(name)} for name in SHUFFLE.hosts}
    steps = detour(on, room, SHUFFLE.hosts, ["c"])
    assert steps
    for step in steps:
        assert room.obstacle(step.instance, step.target) is None
        room.take(step.instance, step.source)
        room.put(step.instance, step.target)


def test_there_is_none_where_the_cloud_is_full() -> None:
    full = cloud({"a": 4, "b": 4}, {"a1": ("a", 4), "b1": ("b", 4)})
    on = {name: {one.id: one for one in full.on(name)} for name in full.hosts}
    assert detour(on, Room(full), full.hosts, full.hosts) is None


def rolling(inventory: Inventory) -> Rolling:
    return Rolling(inventory, inventory.hosts, (), Constraints(), RollingOptions())


def test_agreement_without_a_place_is_no_progress() -> None:
    """What has agreed and can't move must not keep the rolling from looking for a way on."""
    tight = cloud({"a": 8, "b": 8}, {"a1": ("a", 4), "b1": ("b", 4)})
    state = rolling(tight)
    first = state.decide(0)
    (task,) = first.ask
    assert not state.idle
    state.agreed(task.instance.id)
    assert [one.instance.id for one in state.decide(0).move] == [task.instance.id]
    assert not state.idle
    state.moved(task.instance.id, task.target or "", 1)
    (host,) = state.decide(1).maintain
    state.maintained(host)
    asked = state.decide(2).ask
    assert asked
    for one in asked:
        state.agreed(one.instance.id)
        one.target = None
    assert state.idle


def test_a_retreat_leaves_the_books_as_the_cloud_is() -> None:
    state = rolling(cloud({"a": 8, "b": 8}, {"a1": ("a", 4), "b1": ("b", 4)}))
    (task,) = state.decide(0).ask
    state.agreed(task.instance.id)
    assert state.retreat() == [task.source]
    assert state.tasks == {}
    assert state.idle
