"""Small scenarios for tests, each part open to change. Sizes are in vCPUs, MiB and GiB."""

from pathlib import Path
from typing import Any

from fenix.simulation.loading import load
from fenix.simulation.scenario import Scenario

FILES = Path(__file__).parents[1] / "scenarios"


def doctor() -> Scenario:
    """OPNFV Doctor's cloud of three full hosts."""
    return load(FILES / "doctor-3.json")


def host(name: str, **fields: Any) -> dict[str, Any]:
    """A host for four instances of the usual size."""
    return {"name": name, "vcpus": 8, "memory_mb": 8192, "disk_gb": 80} | fields


def instance(ident: str, on: str, **fields: Any) -> dict[str, Any]:
    """An instance of project `app` that is moved live within 10 s."""
    return {
        "id": ident,
        "name": f"name-of-{ident}",
        "project": "app",
        "host": on,
        "vcpus": 2,
        "memory_mb": 2048,
        "disk_gb": 20,
        "live_migration_seconds": 10,
        "migration_seconds": 30,
    } | fields


def project(ident: str = "app", **manager: Any) -> dict[str, Any]:
    """A project whose manager answers within a second and does not scale in."""
    return {"id": ident, "manager": {"reply_seconds": 1} | manager}


def unmanaged(ident: str) -> dict[str, Any]:
    """A project that nobody can be asked for."""
    return {"id": ident, "manager": None}


def scale_in(instances: int = 1, at_most: int = 2) -> dict[str, Any]:
    """What a manager does to scale in."""
    return {"instances": instances, "max": at_most, "seconds": 5, "scale_out_seconds": 5}


def action(kind: str = "host", seconds: float = 60) -> dict[str, Any]:
    """Something that is done on hosts, or around the session."""
    return {"plugin": "simulated", "type": kind, "seconds": seconds}


def scene(**parts: Any) -> Scenario:
    """Three hosts, two of them with an instance; workflow `default`, at once."""
    session = {"workflow": "default", "notice_seconds": 5, "actions": [action()]}
    parts["session"] = session | parts.get("session", {})
    defaults: dict[str, Any] = {
        "name": "scene",
        "hosts": [host(f"compute-{number}") for number in (1, 2, 3)],
        "projects": [project()],
        "groups": [],
        "instances": [instance("i-1", "compute-1"), instance("i-2", "compute-2")],
    }
    return Scenario.model_validate(defaults | parts)
