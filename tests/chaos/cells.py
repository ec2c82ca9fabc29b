"""The cloud under chaos: cells of three hosts, each maintained again and again."""

from typing import Any

HOSTS_PER_CELL = 3
MOVE_SECONDS = 0.6
COMMAND = "upgrade-host"
WORK_SECONDS = 0.4


def hosts(cell: int) -> list[str]:
    """The hosts of a cell; the last one is empty at first."""
    return [f"cell{cell}-host{number}" for number in range(HOSTS_PER_CELL)]


def project(cell: int) -> str:
    """The project whose instances are in a cell."""
    return f"project{cell}"


def instances(cell: int) -> list[str]:
    """The instances of a cell."""
    return [f"cell{cell}-instance{number}" for number in range(2 * (HOSTS_PER_CELL - 1))]


def _size(cell: int, cells: int, times: int) -> dict[str, int]:
    """Of an instance, and of the host that two of them fill.

    The more vCPUs, the less memory: no instance fits a host of another cell. Else a session
    would use hosts that another one is just about to empty.
    """
    return {
        "vcpus": times * 3**cell,
        "memory_mb": times * 64 * 3 ** (cells - cell),
        "disk_gb": times,
    }


def scenario(cells: int) -> dict[str, Any]:
    """The cloud, for `fenix cloud`: two instances fill a host, and each cell has an empty one."""
    return {
        "name": "chaos",
        "hosts": [
            {"name": name} | _size(cell, cells, 2) for cell in range(cells) for name in hosts(cell)
        ],
        "projects": [{"id": project(cell)} for cell in range(cells)],
        "groups": [
            {"id": f"group{cell}", "project": project(cell), "max_impacted_members": 2}
            for cell in range(cells)
        ],
        "instances": [
            _size(cell, cells, 1)
            | {
                "id": ident,
                "name": ident,
                "project": project(cell),
                "group": f"group{cell}",
                "host": hosts(cell)[number // 2],
                "migration_type": "LIVE_MIGRATE",
                "migration_seconds": MOVE_SECONDS,
                "live_migration_seconds": MOVE_SECONDS,
            }
            for cell in range(cells)
            for number, ident in enumerate(instances(cell))
        ],
    }


def request(cell: int, at: str) -> dict[str, Any]:
    """The body of a session over a cell."""
    return {
        "workflow": "vnf",
        "maintenance_at": at,
        "hosts": hosts(cell),
        "actions": [{"plugin": "command", "type": "host", "metadata": {"command": COMMAND}}],
        # A reply may find the API without its database for a minute. Our manager agrees to
        # everything and gives nothing: no time is to be spent on asking it to scale in.
        "options": {"reply_timeout": 600, "scale_in_share": 0},
    }
