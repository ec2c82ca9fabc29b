"""The ledger knows what fits where, and gives back what was taken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planning.clouds import amounts, cloud, clouds, instance, memberships, per_host

from fenix.domain import (
    Constraints,
    Group,
    GroupConstraints,
    Host,
    HostType,
    Instance,
    InstanceConstraints,
    Inventory,
    Resources,
)
from fenix.planning import Room

ONE = Resources(1, 1, 1)


def lone_host(**fields: Any) -> Inventory:
    return Inventory({"h": Host("h", **{"capacity": Resources(4, 4, 4)} | fields)}, {})


@pytest.mark.parametrize(
    ("fields", "size", "zone", "obstacle"),
    [
        ({}, ONE, None, None),
        ({}, Resources(4, 4, 4), None, None),
        ({}, Resources(5, 4, 4), None, "it lacks 1 vCPUs, 0 MiB, 0 GiB"),
        ({}, Resources(0, 6, 0), None, "it lacks 0 vCPUs, 2 MiB, 0 GiB"),
        ({"used": Resources(0, 0, 4)}, ONE, None, "it lacks 0 vCPUs, 0 MiB, 1 GiB"),
        ({"up": False}, ONE, None, "it is down"),
        ({"type": HostType.CONTROLLER}, ONE, None, "it is not a compute host"),
        ({"zone": "east"}, ONE, "east", None),
        ({"zone": "east"}, ONE, "west", "it is not in zone west"),
        ({"zone": "east"}, ONE, None, None),
        ({"enabled": False}, ONE, None, None),
        ({"projects": {"app", "other"}}, ONE, None, None),
        ({"projects": {"other"}}, ONE, None, "it is kept for other projects"),
    ],
)
def test_why_an_instance_can_not_go_to_a_host(
    fields: dict[str, Any], size: Resources, zone: str | None, obstacle: str | None
) -> None:
    """Whether a disabled host counts is the caller's decision."""
    one = Instance("i", "i", "app", "elsewhere", size, zone=zone)
    assert Room(lone_host(**fields)).obstacle(one, "h") == obstacle


@pytest.mark.parametrize(
    ("offers", "obstacle"),
    [
        ({"ssd=true", "gpu=a", "gpu=b"}, None),
        ({"ssd=false", "gpu=b"}, "it does not offer ssd=true"),
        (set(), "it does not offer gpu=b, ssd=true"),
    ],
)
def test_what_an_instance_asks_of_its_host(offers: set[str], obstacle: str | None) -> None:
    one = Instance("i", "i", "app", "elsewhere", ONE, requires=frozenset({"ssd=true", "gpu=b"}))
    assert Room(lone_host(offers=frozenset(offers))).obstacle(one, "h") == obstacle


@pytest.mark.parametrize(
    ("group", "limits", "obstacle"),
    [
        (Group("g", "app", True), None, "it has its 1 of group g"),
        (Group("g", "app", True, 2), None, None),
        (Group("g", "app", False, 1), None, "it has its 1 of group g"),
        (Group("g", "app"), None, None),
        (
            Group("g", "app"),
            GroupConstraints("g", "app", anti_affinity_group=True),
            "it has its 1 of group g",
        ),
        (
            Group("g", "app", True, 3),
            GroupConstraints("g", "app", max_instances_per_host=1),
            "it has its 1 of group g",
        ),
        (
            Group("g", "app", True),
            GroupConstraints("g", "app", max_instances_per_host=3),
            "it has its 1 of group g",
        ),
    ],
)
def test_the_tightest_limit_of_a_group_counts(
    group: Group, limits: GroupConstraints | None, obstacle: str | None
) -> None:
    inventory = cloud(
        {"a": Resources(9, 9, 9), "b": Resources(9, 9, 9)},
        [instance("i-1", "a", ONE, "g"), instance("i-2", "b", ONE, "g")],
        group,
    )
    constraints = Constraints({}, {"g": limits} if limits else {})
    room = Room(inventory, constraints)
    assert room.obstacle(inventory.instances["i-1"], "b") == obstacle


def test_a_group_may_be_known_from_the_constraints_alone() -> None:
    """Applications group instances that the cloud does not (wire contract, "Constraints")."""
    inventory = cloud(
        {"a": Resources(9, 9, 9), "b": Resources(9, 9, 9)},
        [instance("i-1", "a", ONE), instance("i-2", "b", ONE)],
    )
    constraints = Constraints(
        {ident: InstanceConstraints(ident, "app", "g", ident) for ident in ("i-1", "i-2")},
        {"g": GroupConstraints("g", "app", anti_affinity_group=True)},
    )
    one = inventory.instances["i-1"]
    assert Room(inventory, constraints).obstacle(one, "b") == "it has its 1 of group g"
    assert Room(inventory).obstacle(one, "b") is None


def test_stale_constraints_do_no_harm() -> None:
    """They stay when their instances and groups are gone."""
    constraints = Constraints(
        {"gone": InstanceConstraints("gone", "app", "no-such-group", "gone")},
        {"empty": GroupConstraints("empty", "app", anti_affinity_group=True)},
    )
    room = Room(lone_host(), constraints)
    assert room.obstacle(instance("gone", "elsewhere", ONE), "h") is None


@given(clouds(), st.data())
def test_what_is_put_and_taken_leaves_no_trace(
    made: tuple[Inventory, Constraints], data: st.DataObject
) -> None:
    inventory, constraints = made
    room, untouched = Room(inventory, constraints), Room(inventory, constraints)
    ones = list(inventory.instances.values()) or [instance("new", "", ONE)]
    moves = data.draw(
        st.lists(st.tuples(st.sampled_from(ones), st.sampled_from(list(inventory.hosts))))
    )
    for one, name in moves:
        room.put(one, name)
    for one, name in data.draw(st.permutations(moves)):
        room.take(one, name)
    for name in inventory.hosts:
        assert room.free(name) == untouched.free(name) == inventory.hosts[name].free
        for one in ones:
            assert room.obstacle(one, name) == untouched.obstacle(one, name)


@given(clouds(), amounts)
def test_no_obstacle_means_room_and_a_place_in_its_groups(
    made: tuple[Inventory, Constraints], size: Resources
) -> None:
    inventory, constraints = made
    room = Room(inventory, constraints)
    limits = per_host(inventory, constraints)
    for name, host in inventory.hosts.items():
        for group in (None, "group-0", "group-1"):
            newcomer = instance("new", "", size, group)
            here = sum(group in memberships(one, constraints) for one in inventory.on(name))
            fits = size.fits(host.free)
            allowed = group is None or here < limits.get(group, here + 1)
            assert (room.obstacle(newcomer, name) is None) is (fits and allowed)
