"""Tell a fake hypervisor how large it is, how slow it is, and what it must fail at.

Each fake nova-compute reads a JSON file in its state folder at every use, so tests change its
behaviour while it runs. This module is the only writer, and refuses what the driver would not
understand: a misspelt fault would otherwise never happen, and its test would pass for nothing.

>>> behave("compute-1", live_migration_s=4)
>>> behave("compute-2", fail=["pre_live_migration"])
>>> reset("compute-1")
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devcloud.console import DevcloudError
from devcloud.settings import HostSize, Settings

FILE_NAME = "devfake.json"
FAULTS = frozenset(
    {
        "spawn",
        "check_can_live_migrate_destination",
        "pre_live_migration",
        "live_migration",
        "migrate_disk_and_power_off",
        "finish_migration",
    }
)
DEFAULTS: Mapping[str, Any] = {
    "spawn_s": 0,
    "live_migration_s": 0,
    "cold_migration_s": 0,
    "fail": [],
    "fail_instances": [],
}
_SIZES = ("vcpus", "memory_mb", "disk_gb")


def behave(host: str, *, settings: Settings | None = None, **changes: Any) -> None:
    """Change some of a host's settings and keep the others. They hold from its next operation on.

    Args:
        host: for example ``compute-1``.
        settings: the devcloud; that of the environment by default.
        changes: any of
            ``spawn_s``, ``live_migration_s``, ``cold_migration_s``: seconds that it takes;
            ``fail``: a list of the driver methods in FAULTS that fail from now on. A live migration
            calls ``check_can_live_migrate_destination`` and ``pre_live_migration`` on the
            destination and ``live_migration`` on the source; a cold one calls
            ``migrate_disk_and_power_off`` on the source and ``finish_migration`` on the
            destination;
            ``fail_instances``: server ids that ``fail`` is limited to, ``[]`` for all (it does not
            limit ``check_can_live_migrate_destination``);
            ``vcpus``, ``memory_mb``, ``disk_gb``: the host's size, which Placement learns at the
            next periodic update only, up to 60 s later (`ensure` sets sizes at once).

    Raises:
        DevcloudError: an unknown setting, fault or host, or a value that makes no sense.
    """
    for name, value in changes.items():
        _check(name, value)
    path = _path(host, settings)
    _write(path, _read(path) | changes)


def reset(host: str, *, settings: Settings | None = None) -> None:
    """Back to a host that is quick and never fails; its size stays."""
    behave(host, settings=settings, **DEFAULTS)


def read(host: str, *, settings: Settings | None = None) -> dict[str, Any]:
    """All settings of a host."""
    return _read(_path(host, settings))


def size(host: str, settings: Settings) -> HostSize | None:
    """The size that the host has been told, or None for a host that never was."""
    path = settings.compute_state(host) / FILE_NAME
    return HostSize(**{key: _read(path)[key] for key in _SIZES}) if path.exists() else None


def set_size(host: str, wanted: HostSize, settings: Settings) -> None:
    """Tell a host its size, the host's first time included; its behaviour stays."""
    path = settings.compute_state(host) / FILE_NAME
    before = _read(path) if path.exists() else dict(DEFAULTS)
    _write(path, before | asdict(wanted))


def _path(host: str, settings: Settings | None) -> Path:
    settings = settings or Settings.from_environment(os.environ)
    path = settings.compute_state(host) / FILE_NAME
    if not path.exists():
        raise DevcloudError(f"no fake hypervisor {host!r}: there is no {path}")
    return path


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file in one step: the driver may read it at any moment."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(dict(content), indent=1))
    new.replace(path)


def _check(name: str, value: Any) -> None:
    if name in _SIZES:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise DevcloudError(f"{name}={value!r}: must be a whole number of at least 1")
    elif name.endswith("_s") and name in DEFAULTS:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
            raise DevcloudError(f"{name}={value!r}: must be a number of seconds, 0 or more")
    elif name not in DEFAULTS:
        raise DevcloudError(f"{name}: unknown; choose from {', '.join([*DEFAULTS, *_SIZES])}")
    elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DevcloudError(f"{name}={value!r}: must be a list of strings")
    elif name == "fail" and not FAULTS.issuperset(value):
        unknown = ", ".join(sorted(set(value) - FAULTS))
        raise DevcloudError(f"fail: {unknown} unknown; choose from {', '.join(sorted(FAULTS))}")
