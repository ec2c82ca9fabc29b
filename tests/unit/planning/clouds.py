"""Clouds for tests of decisions: by hand, and any that can be by hypothesis."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st

from fenix.domain import (
    Constraints,
    Group,
    GroupConstraints,
    Host,
    Instance,
    InstanceConstraints,
    Inventory,
    Resources,
    total,
)


def cloud(
    hosts: dict[str, Resources], instances: list[Instance], *groups: Group, **more: Any
) -> Inventory:
    """A cloud in which exactly the instances use something; `more` are fields of the hosts."""
    used = {name: total([one.size for one in instances if one.host == name]) for name in hosts}
    return Inventory(
        {name: Host(name, size, used[name], **more) for name, size in hosts.items()},
        {one.id: one for one in instances},
        {group.id: group for group in groups},
    )


def instance(ident: str, on: str, size: Resources, group: str | None = None) -> Instance:
    """An instance of project `app`."""
    return Instance(ident, f"name-of-{ident}", "app", on, size, group)


amounts = st.builds(
    Resources,
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 8),
)
capacities = st.builds(
    Resources,
    st.sampled_from([0, 4, 8, 16]),
    st.sampled_from([4, 8, 16]),
    st.sampled_from([4, 8, 16]),
)


@st.composite
def clouds(draw: st.DrawFn) -> tuple[Inventory, Constraints]:
    """A cloud that is within its limits, and what its applications have registered."""
    names = [f"host-{number}" for number in range(draw(st.integers(1, 6)))]
    hosts = {name: draw(capacities) for name in names}
    groups = [
        Group(f"group-{n}", "app", draw(st.booleans()), draw(st.integers(0, 2))) for n in range(2)
    ]
    limits = [
        GroupConstraints(
            f"group-{n}",
            "app",
            anti_affinity_group=draw(st.booleans()),
            max_instances_per_host=draw(st.integers(0, 2)),
        )
        for n in (1, 2)
    ]
    free = dict(hosts)
    instances: list[Instance] = []
    registered: dict[str, InstanceConstraints] = {}
    for number in range(draw(st.integers(0, 14))):
        on, size = draw(st.sampled_from(names)), draw(amounts)
        group = draw(st.sampled_from([None, "group-0", "group-1"]))
        if size.fits(free[on]):
            free[on] = free[on].minus(size)
            ident = f"i-{number:02d}"
            instances.append(instance(ident, on, size, group))
            also = draw(st.sampled_from([None, "group-1", "group-2"]))
            if also:
                registered[ident] = InstanceConstraints(ident, "app", also, ident)
    inventory = cloud(hosts, instances, *groups)
    return inventory, Constraints(registered, {one.group_id: one for one in limits})


def per_host(inventory: Inventory, constraints: Constraints) -> dict[str, int]:
    """How many members of a group a host may have, where there is a limit; made anew for tests."""
    found: dict[str, int] = {}
    rules: list[tuple[str, bool, Group | GroupConstraints]] = [
        *((one.id, one.anti_affinity, one) for one in inventory.groups.values()),
        *((one.group_id, one.anti_affinity_group, one) for one in constraints.groups.values()),
    ]
    for ident, apart, rule in rules:
        most = rule.max_instances_per_host
        limit = most or (1 if apart else 0)
        if limit:
            found[ident] = min(limit, found.get(ident, limit))
    return found


def memberships(one: Instance, constraints: Constraints) -> set[str]:
    """The groups of an instance."""
    found = {one.group_id} if one.group_id else set()
    if registered := constraints.instances.get(one.id):
        found.add(registered.group_id)
    return found


def members(
    inventory: Inventory, constraints: Constraints, targets: dict[str, str]
) -> Counter[tuple[str, str]]:
    """How many members of each group are on each host, where they are and where they go to."""
    count: Counter[tuple[str, str]] = Counter()
    for one in inventory.instances.values():
        for group in memberships(one, constraints):
            count[one.host, group] += 1
            if one.id in targets:
                count[targets[one.id], group] += 1
    return count


def check_limits(inventory: Inventory, constraints: Constraints, targets: dict[str, str]) -> None:
    """Moves, all under way at the same time, keep each host within its room and its groups."""
    for name, host in inventory.hosts.items():
        coming = [inventory.instances[one].size for one, on in targets.items() if on == name]
        assert host.used.plus(total(coming)).fits(host.capacity), name
    limits = per_host(inventory, constraints)
    before = members(inventory, constraints, {})
    for (name, group), count in members(inventory, constraints, targets).items():
        if count > before[name, group]:
            assert count <= limits.get(group, count), (name, group)
