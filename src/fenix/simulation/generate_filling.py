"""Fills generated clouds: random groups on random hosts, until a share of the vCPUs is used.

The order in which random numbers are drawn is part of the result: whoever changes it changes all
scenarios, and makes old results incomparable.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]

HOSTS_TRIED = 40
"""Random hosts that are tried for an instance."""
MISSES = 200
"""Groups that may fit nowhere before the cloud counts as full."""


class Shape(NamedTuple):
    """The size of a host or an instance: vCPUs, MiB, GiB."""

    vcpus: int
    memory_mb: int
    disk_gb: int


USUAL_HOST = Shape(32, 131072, 1000)
FLAVORS = {
    Shape(2, 4096, 20): 30,
    Shape(4, 8192, 40): 30,
    Shape(4, 16384, 40): 20,
    Shape(8, 32768, 80): 15,
    Shape(16, 65536, 160): 5,
}
SMALL_FLAVORS = {
    Shape(1, 2048, 10): 25,
    Shape(2, 4096, 20): 35,
    Shape(4, 8192, 40): 25,
    Shape(8, 16384, 80): 15,
}
"""Sizes of instances with how common each is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A group that is to be placed.

    Attributes:
        size: how many members.
        group: its fields in the scenario, but for its id.
    """

    size: int
    flavor: Shape
    migration_type: str
    lead_time: int
    group: Json


GroupMaker = Callable[[random.Random, list[str]], Wanted]
"""Draws a group of one of the given projects."""


def telco_group(rnd: random.Random, projects: list[str]) -> Wanted:
    """An anti-affine pair, or a larger group of which a quarter may be impacted."""
    if rnd.random() < 0.4:
        flavor, migration_type = _flavor(rnd), rnd.choice(["LIVE_MIGRATE", "MIGRATE"])
        group = {
            "project": rnd.choice(projects),
            "max_impacted_members": 1,
            "anti_affinity": True,
            "max_instances_per_host": 1,
            "recovery_time": rnd.choice([4, 30, 60]),
        }
        return Wanted(2, flavor, migration_type, 40, group)
    size = rnd.randint(4, 16)
    flavor = _flavor(rnd)
    group = {
        "project": rnd.choice(projects),
        "max_impacted_members": max(1, size // 4),
        "recovery_time": rnd.choice([2, 10, 30]),
    }
    return Wanted(size, flavor, "LIVE_MIGRATE", 40, group)


def it_group(rnd: random.Random, projects: list[str]) -> Wanted:
    """A few instances of which half may be impacted."""
    size = rnd.randint(1, 5)
    flavor = _flavor(rnd)
    group = {
        "project": rnd.choice(projects),
        "max_impacted_members": max(1, size // 2),
        "recovery_time": 0,
    }
    return Wanted(size, flavor, "LIVE_MIGRATE", 30, group)


def region_group(rnd: random.Random, projects: list[str]) -> Wanted:
    """Some small instances of which a third may be impacted; half of the groups are spread."""
    size = rnd.randint(2, 8)
    flavor = _flavor(rnd, SMALL_FLAVORS)
    group = {
        "project": rnd.choice(projects),
        "anti_affinity": rnd.random() < 0.5,
        "max_impacted_members": max(1, size // 3),
        "recovery_time": 5,
    }
    return Wanted(size, flavor, "LIVE_MIGRATE", 60, group)


def cloud(
    size: int,
    rnd: random.Random,
    share: float,
    group: GroupMaker,
    *,
    hosts: list[Json] | None = None,
    removable: float = 0.0,
    projects: int | None = None,
    limits: Json | None = None,
) -> Json:
    """All of a scenario but its name.

    Args:
        share: how much of the vCPUs is to be used, from 0 to 1.
        removable: which share of the groups that are not spread can be scaled in.
        projects: how many there are; None: half as many as hosts.
    """
    hosts = hosts or [host(number) for number in range(1, size + 1)]
    ids = [f"p-{number:04d}" for number in range(projects or max(3, size // 2))]
    filling = _Filling(hosts, rnd)
    filling.fill(share, group, ids, removable)
    return {
        "hosts": hosts,
        "projects": [filling.project(ident) for ident in ids],
        "groups": filling.groups,
        "instances": filling.instances,
        "limits": limits or {"parallel_migrations_per_host": 4},
        "session": {
            "workflow": "vnf",
            "notice_seconds": 60,
            "actions": [{"plugin": "simulated", "type": "host", "seconds": 600}],
        },
    }


def host(number: int, shape: Shape = USUAL_HOST) -> Json:
    """A host."""
    return {"name": f"compute-{number}", **shape._asdict(), "zone": "nova"}


def _flavor(rnd: random.Random, flavors: dict[Shape, int] = FLAVORS) -> Shape:
    return rnd.choices(list(flavors), list(flavors.values()))[0]


@dataclass
class _Filling:
    hosts: Sequence[Json]
    rnd: random.Random
    groups: list[Json] = field(default_factory=list)
    instances: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = {
            one["name"]: Shape(one["vcpus"], one["memory_mb"], one["disk_gb"]) for one in self.hosts
        }

    def fill(
        self, share: float, group: GroupMaker, projects: list[str], removable_share: float
    ) -> None:
        """Places groups until the share is reached, or nothing fits any more."""
        enough = share * sum(one["vcpus"] for one in self.hosts)
        used = misses = 0
        while used < enough and misses < MISSES:
            wanted = group(self.rnd, projects)
            spread = bool(wanted.group.get("anti_affinity"))
            removable = self.rnd.random() < removable_share and not spread
            placed = self._place(wanted, spread)
            if not placed:
                misses += 1
                continue
            self._add(wanted, placed, removable)
            used += wanted.flavor.vcpus * len(placed)
        self.rnd.shuffle(self.instances)

    def project(self, ident: str) -> Json:
        """A project with a manager that can give a third of what is removable at a time."""
        mine = {one["id"] for one in self.groups if one["project"] == ident and _removable(one)}
        count = sum(one["group"] in mine for one in self.instances)
        scale_in = {
            "instances": max(1, count // 3),
            "max": max(1, count // 2),
            "seconds": 30,
            "scale_out_seconds": 60,
        }
        manager = {
            "reply_seconds": self.rnd.choice([1, 2, 5, 15]),
            "scale_in": scale_in if count else None,
        }
        return {"id": ident, "manager": manager}

    def _place(self, wanted: Wanted, spread: bool) -> list[str]:
        """Hosts of the members; those that fit nowhere are left out."""
        names = list(self._free)
        placed: list[str] = []
        for _ in range(wanted.size):
            for name in self.rnd.sample(names, min(HOSTS_TRIED, len(names))):
                pairs = zip(self._free[name], wanted.flavor, strict=True)
                left = Shape(*(free - need for free, need in pairs))
                if min(left) < 0 or (spread and name in placed):
                    continue
                placed.append(name)
                self._free[name] = left
                break
        return placed

    def _add(self, wanted: Wanted, placed: Sequence[str], removable: bool) -> None:
        ident = f"g-{len(self.groups):05d}"
        group = {"id": ident, **wanted.group}
        self.groups.append(group | {"removable": True} if removable else group)
        seconds = max(4, wanted.flavor.memory_mb // 1024)
        for name in placed:
            number = len(self.instances)
            self.instances.append(
                {
                    "id": f"i-{number:06d}",
                    "name": f"{ident}-{number}",
                    "project": wanted.group["project"],
                    "host": name,
                    **wanted.flavor._asdict(),
                    "group": ident,
                    "migration_type": wanted.migration_type,
                    "live_migration_seconds": seconds,
                    "migration_seconds": 2 * seconds + 10,
                    "lead_time": wanted.lead_time,
                    "max_interruption_time": 120,
                }
            )


def _removable(group: Json) -> bool:
    return bool(group.get("removable"))
