"""Makes scenarios of any size in families that each stand for a kind of cloud.

A family, a size and a seed always give the same scenario, so that results can be compared.
"""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from fenix.simulation.generate_filling import (
    Json,
    Shape,
    cloud,
    it_group,
    region_group,
    telco_group,
)
from fenix.simulation.generate_filling import host as usual_host

DESCRIPTIONS: Mapping[str, str] = {
    "doctor": "full: two instances fill a host, one active/standby pair, the rest removable",
    "telco": "about 85 % full, anti-affine pairs and larger groups with tight constraints",
    "tight": "about 95 % full, some scale-in possible",
    "it": "about 65 % full, mostly small groups, live migration",
    "mixed": "hosts of three sizes, about 75 % full",
    "region": "about 72 % full of small instances in small spread groups: for large sizes",
}
"""What each family stands for."""


def generate(family: str, size: int, seed: int) -> Json:
    """A scenario.

    Args:
        family: a key of `DESCRIPTIONS`.
        size: number of hosts; at least 2.

    Raises:
        ValueError: there is no such family, or the size is too small.
    """
    if family not in _FAMILIES:
        raise ValueError(f"family: {family!r} is not known; allowed: {', '.join(_FAMILIES)}")
    if size < 2:
        raise ValueError(f"size: {size} is too small; allowed: 2 and more")
    name = f"{family}-{size}-{seed}"
    return {"name": name, "seed": seed} | _FAMILIES[family](size, random.Random(name))


def written(scenario: Json) -> str:
    """A scenario as JSON with one host, instance, group or project a line."""
    parts = []
    for key, value in scenario.items():
        text = json.dumps(value)
        if isinstance(value, list):
            lines = ",\n".join(f"    {json.dumps(item)}" for item in value)
            text = f"[\n{lines}\n  ]" if value else "[]"
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _doctor(size: int, rnd: random.Random) -> Json:
    """OPNFV Doctor's application, on any number of hosts that it fills."""
    hosts = [usual_host(number, Shape(4, 8192, 100)) for number in range(1, size + 1)]
    count = 2 * size - 2
    slots = [one["name"] for one in hosts for _ in range(2)]
    for host in ("compute-1", "compute-2"):
        slots.remove(host)
    rnd.shuffle(slots)
    members = [(f"doctor_ha_app_{n}", "ha", f"compute-{n + 1}") for n in range(2)]
    members += [(f"doctor_nonha_app_{n}", "nonha", slots.pop()) for n in range(count)]
    given_back, impacted = (2, 2) if count < 7 else (count // 2, count // 2 - 1)
    scale_in = {
        "instances": given_back,
        "max": given_back,
        "seconds": 20,
        "scale_out_seconds": 30,
    }
    return {
        "hosts": hosts,
        "projects": [{"id": "doctor", "manager": {"reply_seconds": 2, "scale_in": scale_in}}],
        "groups": [
            {
                "id": "ha",
                "project": "doctor",
                "max_impacted_members": 1,
                "recovery_time": 4,
                "anti_affinity": True,
                "max_instances_per_host": 1,
            },
            {
                "id": "nonha",
                "project": "doctor",
                "max_impacted_members": impacted,
                "recovery_time": 2,
                "removable": True,
            },
        ],
        "instances": [
            {
                "id": f"i-{number:05d}",
                "name": name,
                "host": host,
                "group": group,
                "floating_ip": number == 0,
                "project": "doctor",
                "vcpus": 2,
                "memory_mb": 512,
                "disk_gb": 1,
                "migration_type": "MIGRATE",
                "live_migration_seconds": 8,
                "migration_seconds": 20,
                "lead_time": 40,
                "max_interruption_time": 120,
            }
            for number, (name, group, host) in enumerate(members)
        ],
        "session": {
            "workflow": "vnf",
            "notice_seconds": 30,
            "actions": [{"plugin": "simulated", "type": "host", "seconds": 120}],
        },
    }


def _telco(size: int, rnd: random.Random) -> Json:
    return cloud(size, rnd, 0.85, telco_group)


def _tight(size: int, rnd: random.Random) -> Json:
    return cloud(size, rnd, 0.95, telco_group, removable=0.3)


def _it(size: int, rnd: random.Random) -> Json:
    limits = {"parallel_hosts": max(2, size // 10), "parallel_migrations_per_host": 2}
    return cloud(size, rnd, 0.65, it_group, limits=limits)


def _mixed(size: int, rnd: random.Random) -> Json:
    shapes = [Shape(32, 131072, 1000), Shape(64, 262144, 2000), Shape(96, 524288, 4000)]
    hosts = [usual_host(number, rnd.choice(shapes)) for number in range(1, size + 1)]

    def group(rnd: random.Random, projects: list[str]) -> Any:
        return (telco_group if rnd.random() < 0.3 else it_group)(rnd, projects)

    return cloud(size, rnd, 0.75, group, hosts=hosts)


def _region(size: int, rnd: random.Random) -> Json:
    limits = {
        "parallel_hosts": max(4, size // 20),
        "parallel_migrations": max(20, size // 2),
        "parallel_migrations_per_host": 4,
    }
    return cloud(size, rnd, 0.72, region_group, limits=limits, projects=max(5, size // 5))


_FAMILIES: Mapping[str, Callable[[int, random.Random], Json]] = {
    "doctor": _doctor,
    "telco": _telco,
    "tight": _tight,
    "it": _it,
    "mixed": _mixed,
    "region": _region,
}
