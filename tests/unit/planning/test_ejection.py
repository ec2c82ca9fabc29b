"""Moves that make room for other moves until a host is empty."""

from hypothesis import given, settings
from tests.unit.planning.clouds import clouds
from tests.unit.planning.test_rolling_detour import cloud

from fenix.domain import Constraints, Instance, Inventory
from fenix.planning.ejection import eject
from fenix.planning.room import Room


def on(inventory: Inventory) -> dict[str, dict[str, Instance]]:
    return {name: {one.id: one for one in inventory.on(name)} for name in inventory.hosts}


def test_what_is_in_the_way_goes_aside_and_for_that_something_smaller() -> None:
    # 6 fits on b once 3 is gone; 3 fits on c once 2 is gone; 2 fits on d.
    chain = cloud(
        {"a": 8, "b": 8, "c": 8, "d": 8},
        {
            "a6": ("a", 6),
            "b3": ("b", 3),
            "b2": ("b", 2),
            "c2": ("c", 2),
            "c4": ("c", 4),
            "d6": ("d", 6),
        },
    )
    steps = eject(on(chain), Room(chain), chain.hosts, ["a"])
    assert steps is not None
    assert [(step.instance.id, step.source, step.target) for step in steps] == [
        ("c2", "c", "d"),
        ("b3", "b", "c"),
        ("a6", "a", "b"),
    ]


def test_there_is_none_where_the_cloud_is_full() -> None:
    full = cloud({"a": 4, "b": 4}, {"a1": ("a", 4), "b1": ("b", 4)})
    assert eject(on(full), Room(full), full.hosts, full.hosts) is None


@settings(max_examples=150, deadline=None)
@given(clouds())
def test_each_move_is_possible_and_the_ledger_is_as_before(
    made: tuple[Inventory, Constraints],
) -> None:
    inventory, constraints = made
    room = Room(inventory, constraints)
    before = {name: room.free(name) for name in inventory.hosts}
    left = on(inventory)
    steps = eject(on(inventory), room, inventory.hosts, inventory.hosts)
    assert {name: room.free(name) for name in inventory.hosts} == before
    if steps is None:
        assert all(left.values())
        return
    for step in steps:
        assert room.obstacle(step.instance, step.target) is None
        room.take(step.instance, step.source)
        room.put(step.instance, step.target)
        left[step.target][step.instance.id] = left[step.source].pop(step.instance.id)
    assert not all(left.values())
