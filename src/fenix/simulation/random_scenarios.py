"""Random small scenarios: clouds, applications, constraints and faults of many kinds.

The same seed always gives the same scenario, so that what one finds can be looked at again.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from fenix.simulation.scenario import Scenario

SIZES = (1, 2, 4, 8)
MEMORY_MB, DISK_GB = 2048, 10
"""The usual amounts for each vCPU."""


def random_scenario(seed: int) -> Scenario:
    """A cloud of 2 to 8 hosts with a session of workflow `vnf`.

    Args:
        seed: the source of every choice.
    """
    return Scenario.model_validate(_Maker(seed).make())


class _Maker:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chance = random.Random(seed)
        self._number = 0

    def make(self) -> dict[str, Any]:
        pick = self._chance
        hosts = self._hosts()
        projects = [self._project(f"p-{number}") for number in range(pick.randint(1, 3))]
        groups = [group for project in projects for group in self._groups(project["id"])]
        instances = self._instances(hosts, projects, groups)
        computes = [host["name"] for host in hosts if host["type"] == "compute"]
        some = pick.random() < 0.2
        return {
            "name": f"random-{self._seed}",
            "seed": self._seed,
            "limits": {
                "parallel_hosts": pick.choice([None, None, 1, 2]),
                "parallel_migrations": pick.choice([None, None, 1, 3]),
                "parallel_migrations_per_host": pick.choice([None, 1, 2, 4]),
            },
            "hosts": hosts,
            "projects": projects,
            "groups": groups,
            "instances": instances,
            "session": {
                "notice_seconds": pick.choice([5, 60]),
                "hosts": pick.sample(computes, pick.randint(1, len(computes))) if some else [],
                "actions": self._actions(),
            },
            "faults": self._faults(computes, projects, groups, instances),
        }

    def _hosts(self) -> list[dict[str, Any]]:
        pick = self._chance
        same = pick.random() < 0.5
        usual = pick.choice([8, 16, 32])
        hosts = []
        for number in range(1, pick.randint(2, 8) + 1):
            vcpus = usual if same else pick.choice([8, 16, 32])
            hosts.append(
                {
                    "name": f"compute-{number}",
                    "type": "compute",
                    "zone": pick.choice(["nova", "nova", "west"]),
                    "vcpus": vcpus,
                    "memory_mb": vcpus * MEMORY_MB * pick.choice([1, 1, 2]),
                    "disk_gb": vcpus * DISK_GB * pick.choice([1, 2]),
                }
            )
        for number in range(pick.choice([0, 0, 0, 1, 2])):
            hosts.append(hosts[0] | {"name": f"control-{number}", "type": "controller"})
        return hosts

    def _project(self, ident: str) -> dict[str, Any]:
        pick = self._chance
        if pick.random() < 0.15:
            return {"id": ident, "manager": None}
        gives = {
            "instances": pick.randint(1, 3),
            "max": pick.randint(1, 6),
            "seconds": pick.choice([0, 5, 60]),
            "scale_out_seconds": pick.choice([0, 5, 60]),
        }
        manager = {
            "reply_seconds": pick.choice([0, 0.5, 1, 5, 30, 90]),
            "scale_in": gives if pick.random() < 0.5 else None,
        }
        return {"id": ident, "manager": manager}

    def _groups(self, project: str) -> list[dict[str, Any]]:
        pick = self._chance
        return [
            {
                "id": f"{project}-g-{number}",
                "project": project,
                "max_impacted_members": pick.choice([1, 1, 2, 3]),
                "recovery_time": pick.choice([0, 0, 10, 60, 300]),
                "anti_affinity": pick.random() < 0.35,
                "max_instances_per_host": pick.choice([0, 0, 0, 2]),
                "removable": pick.random() < 0.5,
            }
            for number in range(pick.randint(0, 3))
        ]

    def _instances(
        self,
        hosts: list[dict[str, Any]],
        projects: list[dict[str, Any]],
        groups: list[dict[str, Any]],
    ) -> list[dict[str, Any]]:
        """Fills each host to a random part, as far as groups allow."""
        pick = self._chance
        fill = pick.choice([0.2, 0.5, 0.7, 0.9])
        members: Counter[tuple[str, str]] = Counter()
        found: list[dict[str, Any]] = []
        for host in hosts:
            if host["type"] != "compute":
                continue
            left = {key: host[key] for key in ("vcpus", "memory_mb", "disk_gb")}
            aim = host["vcpus"] * (1 - fill * pick.uniform(0.5, 1.1))
            while left["vcpus"] > max(aim, 0) and len(found) < 40:
                one = self._instance(pick.choice(projects)["id"], host["name"], groups)
                if any(one[key] > left[key] for key in left):
                    break
                group = next((group for group in groups if group["id"] == one["group"]), None)
                if group is not None:
                    limit = _per_host(group)
                    if limit is not None and members[host["name"], group["id"]] >= limit:
                        one["group"] = None
                    else:
                        members[host["name"], group["id"]] += 1
                for key in left:
                    left[key] -= one[key]
                found.append(one)
        return found

    def _instance(self, project: str, host: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
        pick = self._chance
        self._number += 1
        vcpus = pick.choice(SIZES)
        mine = [group["id"] for group in groups if group["project"] == project]
        return {
            "id": f"i-{self._number}",
            "name": f"name-{self._number}",
            "project": project,
            "host": host,
            "vcpus": vcpus,
            "memory_mb": vcpus * MEMORY_MB // pick.choice([1, 1, 2]),
            "disk_gb": vcpus * DISK_GB // pick.choice([1, 2]),
            "group": pick.choice([None, *mine]),
            "migration_type": pick.choice(
                ["LIVE_MIGRATE", "LIVE_MIGRATE", "MIGRATE", "OWN_ACTION"]
            ),
            "live_migration_seconds": pick.choice([1, 10, 40]),
            "migration_seconds": pick.choice([5, 30, 100]),
            "lead_time": pick.choice([30, 120, 400]),
        }

    def _actions(self) -> list[dict[str, Any]]:
        pick = self._chance
        kinds = ["host"] + [
            kind for kind in ("pre", "post", "compute", "controller") if pick.random() < 0.2
        ]
        return [{"type": kind, "seconds": pick.choice([1, 60, 600])} for kind in kinds]

    def _faults(
        self,
        computes: list[str],
        projects: list[dict[str, Any]],
        groups: list[dict[str, Any]],
        instances: list[dict[str, Any]],
    ) -> list[dict[str, Any]]:
        pick = self._chance
        if pick.random() < 0.3:
            return []
        managed = [project["id"] for project in projects if project["manager"]]
        idents = [one["id"] for one in instances]

        def move() -> dict[str, Any] | None:
            kind = pick.choice(["refused", "fails", "fails", "stuck", "error"])
            many = pick.choice([1, 1, 2, 3])
            if not idents:
                return None
            return {"instance": pick.choice(idents), "move": kind, "times": many}

        def death() -> dict[str, Any]:
            at = pick.randint(1, 1000)
            until = pick.choice([None, at + 30, at + 600])
            return {"host": pick.choice(computes), "at": at, "until": until}

        def reply() -> dict[str, Any] | None:
            kinds = ["silent", "nack", "late", "double", "wrong_state"]
            states = [None, "PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE", "SCALE_IN"]
            fault = {
                "reply": pick.choice(kinds),
                "state": pick.choice(states),
                "times": pick.choice([1, 1, 2, 5]),
                "delay": pick.choice([60, 600]),
            }
            return {"project": pick.choice(managed), **fault} if managed else None

        def vanish() -> dict[str, Any] | None:
            at = pick.randint(1, 1000)
            return {"vanishes": pick.choice(idents), "at": at} if idents else None

        def appear() -> dict[str, Any]:
            one = self._instance(pick.choice(projects)["id"], "", groups)
            return {"appears": one, "at": pick.randint(1, 1000)}

        kinds: list[Callable[[], dict[str, Any] | None]] = [
            move,
            move,
            death,
            reply,
            reply,
            vanish,
            appear,
            appear,
        ]
        made = (pick.choice(kinds)() for _ in range(pick.randint(1, 4)))
        return [fault for fault in made if fault is not None]


def _per_host(group: dict[str, Any]) -> int | None:
    limit: int = group["max_instances_per_host"]
    return (limit or 1) if group["anti_affinity"] else (limit or None)
