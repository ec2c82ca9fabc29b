"""When is the cloud ready? When Nova and Placement say so, and mean this start.

A heartbeat stays fresh for some seconds after its sender was killed, so a service that was started
just now counts only once it has reported since. A host counts only once Placement knows the size
that it was asked to have.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devcloud import nova
from devcloud.console import DevcloudError, say
from devcloud.rest import Administrator, ApiError
from devcloud.settings import HostSize
from devcloud.waiting import wait_until


def timestamp() -> str:
    """Now, as Nova writes its services' last reports (UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


@dataclass(frozen=True)
class Expected:
    """What a start is meant to lead to."""

    computes: Mapping[str, HostSize]
    started: Collection[str] = ()  # services that must have reported since...
    since: str = field(default_factory=timestamp)  # ...this time


@dataclass(frozen=True)
class Observed:
    """What Nova and Placement say, in their own words."""

    services: list[dict[str, Any]]
    hypervisors: Collection[str]
    sizes: Mapping[str, HostSize]


def lacking(expected: Expected, observed: Observed) -> list[str]:
    """What is still missing, in words; nothing if the cloud is ready."""
    up = {name for name, s in _by_name(observed).items() if _is_up(name, s, expected)}
    missing = [f"{name} is not up" for name in nova.CONTROL if name not in up]
    for host, size in expected.computes.items():
        if nova.compute_service(host) not in up:
            missing.append(f"{host} is not up")
        elif host not in observed.hypervisors:
            missing.append(f"{host} is not mapped to the cell")
        elif observed.sizes.get(host) != size:
            missing.append(f"Placement knows {host} as {observed.sizes.get(host)}, not {size}")
    return missing


def observe(administrator: Administrator, hosts: Collection[str]) -> Observed:
    """Ask Nova and Placement; raises ApiError."""
    services = administrator.get("nova", "/v2.1/os-services")["services"]
    hypervisors = administrator.get("nova", "/v2.1/os-hypervisors")["hypervisors"]
    providers = administrator.get("placement", "/resource_providers")["resource_providers"]
    sizes = {}
    for provider in providers:
        if provider["name"] in hosts:
            path = f"/resource_providers/{provider['uuid']}/inventories"
            sizes[provider["name"]] = _size(administrator.get("placement", path)["inventories"])
    return Observed(services, {h["hypervisor_hostname"] for h in hypervisors}, sizes)


def forced_down(administrator: Administrator) -> set[str]:
    """Hosts that somebody told Nova to consider down; raises ApiError."""
    services = administrator.get("nova", "/v2.1/os-services?binary=nova-compute")["services"]
    return {service["host"] for service in services if service["forced_down"]}


def wait(
    administrator: Administrator,
    expected: Expected,
    check: Callable[[], None],
    seconds: float = 120,
) -> None:
    """Wait until nothing is lacking; takes back `forced_down` of the expected hosts on the way.

    Args:
        administrator: asks Nova and Placement.
        expected: the goal.
        check: raises DevcloudError if a process has ended, so that there is no use in waiting.
        seconds: the limit.

    Raises:
        DevcloudError: not ready in time; says what is lacking.
    """
    reasons: list[str] = []

    def ready() -> bool:
        nonlocal expected
        check()
        try:
            observed = observe(administrator, expected.computes)
            if _take_back_forced_down(administrator, expected, observed):
                # That changed `updated_at`, so only what comes later is a report.
                expected = replace(expected, since=timestamp())
            now = lacking(expected, observed)
        except ApiError as error:
            now = [str(error)]
        if now != reasons:
            reasons[:] = now
            if now:
                say(now[0] + (f" (and {len(now) - 1} more)" if len(now) > 1 else ""))
        return not now

    try:
        wait_until(ready, "the cloud to be ready", seconds, every=0.25)
    except DevcloudError as error:
        raise DevcloudError("\n  ".join([str(error), *reasons])) from None


def disabled_hosts(observed: Observed) -> list[str]:
    """Hosts that are up but get no servers, with the reason that was given."""
    return [
        f"{s['host']} ({s.get('disabled_reason') or 'no reason given'})"
        for s in observed.services
        if s["binary"] == "nova-compute" and s["status"] == "disabled"
    ]


def _by_name(observed: Observed) -> dict[str, dict[str, Any]]:
    return {
        nova.compute_service(s["host"]) if s["binary"] == "nova-compute" else s["binary"]: s
        for s in observed.services
    }


def _is_up(name: str, service: dict[str, Any], expected: Expected) -> bool:
    """A service that has never reported yet (no `updated_at`) has just been created.

    Reports are dated in whole seconds: one of the very second of the start may be from before it.
    """
    reported = service["updated_at"]
    return service["state"] == "up" and (
        name not in expected.started or not reported or reported[:19] > expected.since
    )


def _size(inventories: dict[str, Any]) -> HostSize:
    total = [inventories.get(name, {}).get("total", 0) for name in ("VCPU", "MEMORY_MB", "DISK_GB")]
    return HostSize(*total)


def _take_back_forced_down(
    administrator: Administrator, expected: Expected, observed: Observed
) -> bool:
    """Returns True if there was one to take back and Nova agreed."""
    agreed = False
    for service in observed.services:
        if service.get("forced_down") and service["host"] in expected.computes:
            # Refused until the restarted host has cleaned up after evacuations: asked again later.
            with contextlib.suppress(ApiError):
                path = f"/v2.1/os-services/{service['id']}"
                administrator.put("nova", path, {"forced_down": False})
                say(f"took back forced_down of {service['host']}")
                agreed = True
    return agreed
