"""Instances get hosts by best fit, within all limits, and the same ones each time."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planning.clouds import check_limits, cloud, clouds, instance

from fenix.domain import Constraints, Group, Instance, Inventory, Resources
from fenix.planning import Room, place
from fenix.planning.placement import share, undo

HOST = Resources(8, 8, 8)


def new(ident: str, vcpus: int, memory: int = 1, group: str | None = None) -> Instance:
    return instance(ident, "elsewhere", Resources(vcpus, memory, 1), group)


def test_the_host_that_is_filled_best_is_taken() -> None:
    inventory = cloud(
        {"a": HOST, "b": HOST, "c": HOST},
        [instance("on-a", "a", Resources(2, 2, 2)), instance("on-b", "b", Resources(4, 4, 4))],
    )
    placement = place([new("i", 3)], [["a", "b", "c"]], Room(inventory))
    assert placement.targets == {"i": "b"}


def test_the_largest_goes_first_whatever_resource_makes_it_large() -> None:
    """The small ones would fill one host each, and leave none for the one with the memory."""
    inventory = cloud({"a": HOST, "b": HOST}, [])
    ones = [new("small-1", 4), new("small-2", 4), new("large", 1, memory=8)]
    placement = place(ones, [["a", "b"]], Room(inventory))
    assert placement.complete
    assert placement.targets["small-1"] == placement.targets["small-2"]


def test_a_later_preference_only_serves_those_that_no_earlier_one_takes() -> None:
    inventory = cloud({"good": HOST, "other": HOST}, [])
    ones = [new(f"i-{number}", 3) for number in range(4)]
    placement = place(ones, [["good"], ["other"]], Room(inventory))
    assert sorted(placement.targets.values()) == ["good", "good", "other", "other"]


def test_who_finds_no_host_is_told_why_for_each() -> None:
    inventory = cloud(
        {"a": HOST, "b": HOST},
        [instance("i-1", "a", Resources(6, 1, 1)), instance("i-2", "b", Resources(1, 1, 1), "g")],
        Group("g", "app", True),
    )
    placement = place([new("i", 4, group="g")], [["a"], ["b"]], Room(inventory))
    assert placement.homeless == {
        "i": "instance i (4 vCPUs, 1 MiB, 1 GiB) fits nowhere: "
        "a: it lacks 2 vCPUs, 0 MiB, 0 GiB; b: it has its 1 of group g"
    }


def test_of_many_hosts_some_are_told() -> None:
    inventory = cloud({f"h-{number}": HOST for number in range(9)}, [])
    placement = place([new("i", 9)], [list(inventory.hosts)], Room(inventory))
    assert placement.homeless["i"].endswith(" and 4 more hosts")


def test_without_any_host_that_is_said() -> None:
    placement = place([new("i", 1)], [[], []], Room(Inventory({}, {})))
    assert placement.homeless["i"] == (
        "instance i (1 vCPUs, 1 MiB, 1 GiB): there is no host that could take it"
    )


def test_a_share_is_of_the_scarcest_resource() -> None:
    assert share(Resources(1, 4, 0), Resources(8, 8, 8)) == 0.5
    assert share(Resources(1, 1, 1), Resources(0, 0, 0)) == 0


targets_of = st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=3)


def preferences(inventory: Inventory, numbers: list[list[int]]) -> list[list[str]]:
    """Some of the cloud's hosts, in some order, some of them more than once."""
    names = list(inventory.hosts)
    return [[names[number % len(names)] for number in part] for part in numbers]


@given(clouds(), targets_of, st.randoms(use_true_random=False))
def test_no_limit_is_ever_broken_and_nobody_is_lost(
    made: tuple[Inventory, Constraints], numbers: list[list[int]], chance: object
) -> None:
    inventory, constraints = made
    allowed = preferences(inventory, numbers)
    ones = list(inventory.instances.values())
    placement = place(ones, allowed, Room(inventory, constraints))
    check_limits(inventory, constraints, dict(placement.targets))
    assert placement.targets.keys() | placement.homeless.keys() == inventory.instances.keys()
    assert not placement.targets.keys() & placement.homeless.keys()
    assert set(placement.targets.values()) <= {name for part in allowed for name in part}


@given(clouds(), targets_of, st.data())
def test_the_order_of_the_input_does_not_matter(
    made: tuple[Inventory, Constraints], numbers: list[list[int]], data: st.DataObject
) -> None:
    inventory, constraints = made
    allowed = preferences(inventory, numbers)
    ones = list(inventory.instances.values())
    first = place(ones, allowed, Room(inventory, constraints))
    shuffled = data.draw(st.permutations(ones))
    turned = [data.draw(st.permutations(part)) for part in allowed]
    second = place(shuffled, turned, Room(inventory, constraints))
    assert first == second


@given(clouds(), targets_of)
def test_who_has_no_host_would_fit_on_none(
    made: tuple[Inventory, Constraints], numbers: list[list[int]]
) -> None:
    inventory, constraints = made
    allowed, room = preferences(inventory, numbers), Room(inventory, constraints)
    placement = place(inventory.instances.values(), allowed, room)
    for ident in placement.homeless:
        for name in {name for part in allowed for name in part}:
            assert room.obstacle(inventory.instances[ident], name)


@given(clouds(), targets_of)
def test_what_is_undone_leaves_no_trace(
    made: tuple[Inventory, Constraints], numbers: list[list[int]]
) -> None:
    inventory, constraints = made
    room = Room(inventory, constraints)
    placement = place(inventory.instances.values(), preferences(inventory, numbers), room)
    undo(placement, inventory.instances, room)
    assert all(room.free(name) == host.free for name, host in inventory.hosts.items())
