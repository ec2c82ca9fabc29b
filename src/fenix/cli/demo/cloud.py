"""The demo's cloud: full, as in OPNFV Doctor's maintenance test, but quick."""

from typing import Any

from fenix.simulation.scenario import Scenario

PROJECT = "demo"
RECOVERY = 1
MOVE_SECONDS = 1.5


def scale_in(hosts: int) -> int:
    """How many instances the application gives back: as in Doctor's test."""
    others = 2 * hosts - 2
    return 2 if others < 7 else others // 2


def impacted(hosts: int) -> int:
    """How many of the application's instances without a standby may be away at one time."""
    return max(2, scale_in(hosts) - 1)


def cloud(hosts: int) -> Scenario:
    """N hosts, each filled by two instances: an active/standby pair, and others that may go.

    The projects have no manager here: theirs is a real one, in a process of its own.

    Args:
        hosts: 3 or more: with two, the pair could never leave one for the other.
    """
    size = {"vcpus": 2, "memory_mb": 4096, "disk_gb": 50}
    base: dict[str, Any] = {
        **size,
        "project": PROJECT,
        "migration_type": "MIGRATE",
        "migration_seconds": MOVE_SECONDS,
        "live_migration_seconds": MOVE_SECONDS / 2,
    }
    names = [f"host-{number:02d}" for number in range(1, hosts + 1)]
    pair = [
        base | {"id": f"ha-{n}", "name": f"ha-{n}", "group": "ha", "host": names[n]}
        for n in range(2)
    ]
    pair[0]["floating_ip"] = True
    places = [*names[:2], *(name for name in names[2:] for _ in range(2))]
    others = [
        base | {"id": f"app-{n:02d}", "name": f"app-{n:02d}", "group": "app", "host": place}
        for n, place in enumerate(places, 1)
    ]
    return Scenario.model_validate(
        {
            "name": "demo",
            "hosts": [
                {"name": name, "vcpus": 4, "memory_mb": 8192, "disk_gb": 100} for name in names
            ],
            "projects": [{"id": PROJECT}],
            "groups": [
                {
                    "id": "ha",
                    "project": PROJECT,
                    "anti_affinity": True,
                    "max_instances_per_host": 1,
                    "recovery_time": RECOVERY,
                },
                {
                    "id": "app",
                    "project": PROJECT,
                    "max_impacted_members": impacted(hosts),
                    "recovery_time": RECOVERY,
                    "removable": True,
                },
            ],
            "instances": pair + others,
        }
    )
