"""Tiny full clouds at random, and an exhaustive search that says which of them can be maintained.

The search shares nothing with the planner: it tries every order of single moves, by its own
arithmetic.
"""

import random
from collections import Counter
from typing import Any

from fenix.simulation.scenario import Scenario
from tests.simulation.scenes import host, instance, project, scene

Place = tuple[int, ...]
"""The number of the host of each instance."""


def tiny_cloud(seed: int) -> Scenario:
    """2 to 4 hosts and at most 8 instances, with little room; everything happens at once."""
    chance = random.Random(seed)
    hosts = [
        host(f"compute-{number}", vcpus=chance.choice([6, 8, 8, 12]), memory_mb=chance.choice(RAM))
        for number in range(chance.randint(2, 4))
    ]
    groups = [
        {
            "id": f"g-{number}",
            "project": "app",
            "anti_affinity": chance.random() < 0.6,
            "max_instances_per_host": chance.choice([0, 0, 2]),
            "max_impacted_members": chance.choice([1, 2]),
        }
        for number in range(chance.randint(0, 2))
    ]
    left = {one["name"]: [one["vcpus"], one["memory_mb"]] for one in hosts}
    members: Counter[tuple[str, str]] = Counter()
    instances: list[dict[str, Any]] = []
    for number in range(chance.randint(2, 14)):
        on = chance.choice(hosts)["name"]
        vcpus, memory = chance.choice([1, 2, 3, 4, 6]), chance.choice([512, 1024, 3072])
        group = chance.choice([None, *groups])
        fits = left[on][0] >= vcpus and left[on][1] >= memory
        if group is not None:
            fits = fits and members[on, group["id"]] < limit_of(group)
        if fits and len(instances) < 8:
            left[on] = [left[on][0] - vcpus, left[on][1] - memory]
            if group is not None:
                members[on, group["id"]] += 1
            more = {"vcpus": vcpus, "memory_mb": memory, "disk_gb": 1}
            instances.append(
                instance(f"i-{number}", on, group=group["id"] if group else None, **more)
            )
    return scene(
        name=f"tiny-{seed}",
        hosts=hosts,
        projects=[project(reply_seconds=0)],
        groups=groups,
        instances=instances,
        session={"workflow": "vnf", "notice_seconds": 0},
    )


RAM = (4096, 8192, 8192)


def limit_of(group: dict[str, Any]) -> int:
    """How many members of a group a host may have."""
    most: int = group["max_instances_per_host"]
    if group["anti_affinity"]:
        return most or 1
    return most or 1000


def can_be_maintained(scenario: Scenario) -> bool:
    """Whether some order of single moves empties each host at some time.

    Moves can be taken back and a host that is worked on hinders nobody later on, so it is enough
    that each host is empty in one of the places that can be reached.
    """
    hosts = scenario.hosts
    names = {one.name: number for number, one in enumerate(hosts)}
    groups = {group.id: group.model_dump() for group in scenario.groups}
    start: Place = tuple(names[one.host] for one in scenario.instances)
    todo, seen = [start], {start}
    empty = set(range(len(hosts)))
    while todo and empty:
        place = todo.pop()
        empty &= set(place)
        for which in range(len(place)):
            for target in range(len(hosts)):
                after = (*place[:which], target, *place[which + 1 :])
                if after not in seen and _allowed(scenario, groups, after, target):
                    seen.add(after)
                    todo.append(after)
    return not empty


def _allowed(
    scenario: Scenario, groups: dict[str, dict[str, Any]], place: Place, target: int
) -> bool:
    here = [one for one, on in zip(scenario.instances, place, strict=True) if on == target]
    if not all(
        sum(getattr(one, key) for one in here) <= getattr(scenario.hosts[target], key)
        for key in ("vcpus", "memory_mb", "disk_gb")
    ):
        return False
    members = Counter(one.group for one in here if one.group)
    return all(count <= limit_of(groups[group]) for group, count in members.items())
