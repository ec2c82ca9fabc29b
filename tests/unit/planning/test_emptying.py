"""Which hosts are emptied: as many as fit side by side, at the least cost, within all limits."""

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planning.clouds import check_limits, cloud, clouds, instance

from fenix.domain import Constraints, Inventory, Resources
from fenix.planning import Emptying, Room, plan_emptying

HOST = Resources(8, 8, 8)


def size(vcpus: int, memory: int = 1) -> Resources:
    return Resources(vcpus, memory, 1)


def plan(
    inventory: Inventory,
    candidates: Collection[str] | None = None,
    limit: int | None = None,
    constraints: Constraints | None = None,
    largest_first: bool = False,
    targets: Collection[str] | None = None,
) -> Emptying:
    """Empties hosts to some targets, or to any that are not emptied themselves."""

    def others(_: str, leaving: Collection[str]) -> Sequence[Collection[str]]:
        return [[name for name in targets or inventory.hosts if name not in leaving]]

    chosen = list(inventory.hosts) if candidates is None else candidates
    room = Room(inventory, constraints)
    return plan_emptying(inventory, chosen, others, room, limit, largest_first=largest_first)


def test_fewer_moves_come_first_and_then_less_memory() -> None:
    inventory = cloud(
        dict.fromkeys(("a", "b", "c", "spare"), HOST),
        [
            instance("a-1", "a", size(1)),
            instance("a-2", "a", size(1)),
            instance("b-1", "b", size(1, memory=4)),
            instance("c-1", "c", size(1, memory=2)),
        ],
    )
    assert plan(inventory, ["a", "b", "c"], targets=["spare"]).hosts == ["c", "b", "a"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_hosts_than_allowed(limit: int) -> None:
    inventory = cloud(
        dict.fromkeys(("a", "b", "c", "spare"), HOST),
        [instance(f"{name}-1", name, size(1)) for name in ("a", "b", "c")],
    )
    found = plan(inventory, ["a", "b", "c"], limit, targets=["spare"])
    assert found.hosts == ["a", "b", "c"][:limit]
    assert found.blocked == {}


def test_a_host_that_has_just_been_promised_is_not_emptied() -> None:
    inventory = cloud(
        {"a": HOST, "b": HOST},
        [instance("a-1", "a", size(1)), instance("b-1", "b", size(2, memory=2))],
    )
    found = plan(inventory)
    assert found.hosts == ["a"]
    assert found.targets == {"a-1": "b"}
    assert found.blocked == {}


def test_a_host_that_can_not_be_emptied_is_named_with_the_reason() -> None:
    inventory = cloud(
        {"a": HOST, "b": HOST},
        [
            instance("a-1", "a", size(1)),
            instance("a-2", "a", size(7)),
            instance("b-1", "b", size(6)),
        ],
    )
    found = plan(inventory, ["a"])
    assert (found.hosts, found.targets) == ([], {})
    assert found.blocked["a"].startswith("instance a-2 (7 vCPUs")
    assert "b: it lacks 5 vCPUs" in found.blocked["a"]


def test_what_a_blocked_host_would_have_taken_is_left_for_the_next_one() -> None:
    """The first one's small instance would fit, its large one would not."""
    inventory = cloud(
        {"a": HOST, "b": Resources(8, 8, 8), "spare": Resources(4, 8, 8)},
        [
            instance("a-1", "a", size(3)),
            instance("b-1", "b", size(2)),
            instance("b-2", "b", size(2)),
            instance("a-2", "a", size(5)),
        ],
    )
    found = plan(inventory, ["a", "b"])
    assert found.hosts == ["b"]
    assert list(found.blocked) == ["a"]


def test_where_sizes_differ_the_largest_host_may_come_first() -> None:
    """Its instance fits on the spare host only as long as that is empty."""
    inventory = cloud(
        {"small": size(2, 8), "large": size(32, 32), "spare": size(8, 16)},
        [instance("s", "small", size(2)), instance("l", "large", size(7, 2))],
    )
    candidates, spare = ["small", "large"], ["spare"]
    assert plan(inventory, candidates, targets=spare).hosts == ["small"]
    found = plan(inventory, candidates, targets=spare, largest_first=True)
    assert found.hosts == ["large"]
    assert found.targets == {"l": "spare"}


def test_small_differences_of_size_do_not_count() -> None:
    inventory = cloud(
        {"a": Resources(100, 100, 100), "b": Resources(99, 98, 97), "spare": size(100, 100)},
        [
            instance("a-1", "a", size(0)),
            instance("a-2", "a", size(0)),
            instance("b-1", "b", size(0)),
        ],
    )
    assert plan(inventory, ["a", "b"], largest_first=True).hosts[0] == "b"


def test_there_may_be_nothing_to_choose_from() -> None:
    for largest_first in (False, True):
        found = plan(cloud({"a": HOST}, []), [], largest_first=largest_first)
        assert found == Emptying([], {}, {})


@given(clouds(), st.sampled_from([None, 1, 2, 3]), st.booleans(), st.data())
def test_a_plan_empties_what_it_names_and_breaks_no_limit(
    made: tuple[Inventory, Constraints],
    limit: int | None,
    largest_first: bool,
    data: st.DataObject,
) -> None:
    inventory, constraints = made
    names = sorted(inventory.hosts)
    candidates = data.draw(st.lists(st.sampled_from(names), unique=True))
    found = plan(inventory, candidates, limit, constraints, largest_first)
    assert set(found.hosts) <= set(candidates)
    assert limit is None or len(found.hosts) <= limit
    leaving = {one.id for name in found.hosts for one in inventory.on(name)}
    assert found.targets.keys() == leaving
    assert not set(found.targets.values()) & set(found.hosts)
    assert not set(found.blocked) & set(found.hosts)
    assert all(found.blocked.values())
    check_limits(inventory, constraints, dict(found.targets))
    again = plan(
        inventory, data.draw(st.permutations(candidates)), limit, constraints, largest_first
    )
    assert again == found
