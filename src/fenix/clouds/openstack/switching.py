"""Keeping the scheduler away from a host, and letting it back, without undoing others' work.

A disabled service's reason says whose it is. Nova has no compare-and-set here: someone who
disables a host in the instant between our look and our change is not noticed.
"""

from fenix.clouds.base import CloudError
from fenix.clouds.openstack.api import Api, Json
from fenix.clouds.openstack.hosts import COMPUTE

# Compute API, "Update compute service", `disabled_reason`.
_LONGEST_REASON = 255


def disable(compute: Api, host: str, reason: str) -> bool:
    """See `fenix.clouds.Cloud.disable_host`; a controller is closed to instances anyhow.

    Raises:
        CloudError: Nova knows no such host.
    """
    service = _service(compute, host)
    if service is None:
        return True
    reason = reason[:_LONGEST_REASON]
    if service["status"] == "disabled":
        return bool(service["disabled_reason"] == reason)
    compute.put(
        "/os-services/{id}", {"status": "disabled", "disabled_reason": reason}, id=service["id"]
    )
    return True


def enable(compute: Api, host: str, reason: str) -> bool:
    """See `fenix.clouds.Cloud.enable_host`; a controller is as open as it ever is.

    Raises:
        CloudError: Nova knows no such host.
    """
    service = _service(compute, host)
    if service is None or service["status"] == "enabled":
        return True
    if service["disabled_reason"] != reason[:_LONGEST_REASON]:
        return False
    compute.put("/os-services/{id}", {"status": "enabled"}, id=service["id"])
    return True


def _service(compute: Api, host: str) -> Json | None:
    """The host's nova-compute, None where it has other services only."""
    services: list[Json] = compute.get("/os-services", {"host": host})["services"]
    if not services:
        raise CloudError(f"Nova has no service on a host named {host!r}")
    return next((service for service in services if service["binary"] == COMPUTE), None)
