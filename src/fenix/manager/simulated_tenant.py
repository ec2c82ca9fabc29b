"""The application in Fenix's simulated cloud, over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from fenix.manager.errors import Refused, Unavailable
from fenix.manager.tenant_cloud import TenantGroup, TenantInstance

_NOT_COPIED = ("id", "host", "status")


class SimulatedTenant:
    """Implements `TenantCloud`. The active instance is the one with the floating IP.

    Args:
        url: where the simulated cloud listens.
        timeout: seconds that an answer may take.
    """

    def __init__(self, url: str, project_id: str, timeout: float) -> None:
        project = quote(project_id, safe="")
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/projects/{project}", timeout=timeout, trust_env=False
        )

    def instances(self) -> Sequence[TenantInstance]:
        """See `TenantCloud.instances`."""
        return [_instance(found) for found in self._listed()]

    def groups(self) -> Sequence[TenantGroup]:
        """See `TenantCloud.groups`; groups of the simulated cloud have no name but their id."""
        return [
            TenantGroup(
                found["id"], found["id"], found["anti_affinity"], found["max_instances_per_host"]
            )
            for found in self._call("GET", "/groups")["groups"]
        ]

    def blueprint(self, instance_id: str) -> dict[str, Any]:
        """See `TenantCloud.blueprint`."""
        for found in self._listed():
            if found["id"] == instance_id:
                return {name: found[name] for name in found if name not in _NOT_COPIED}
        raise Refused(f"instance {instance_id} could not be found")

    def delete(self, instance_id: str) -> None:
        """See `TenantCloud.delete`; the simulated cloud deletes at once."""
        self._call("DELETE", f"/instances/{quote(instance_id, safe='')}", missing_ok=True)

    def create(self, blueprint: Mapping[str, Any]) -> TenantInstance:
        """See `TenantCloud.create`."""
        return _instance(self._call("POST", "/instances", dict(blueprint)))

    def replace(self, instance_id: str) -> TenantInstance:
        """See `TenantCloud.replace`."""
        return _instance(self._call("POST", f"/instances/{quote(instance_id, safe='')}/rebuild"))

    def make_active(self, source_id: str, target_id: str) -> None:
        """See `TenantCloud.make_active`."""
        self._call("POST", "/floating-ip", {"source": source_id, "target": target_id})

    def close(self) -> None:
        """See `TenantCloud.close`."""
        self._http.close()

    def _listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/instances")["instances"]
        return found

    def _call(self, method: str, path: str, body: Any = None, missing_ok: bool = False) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise Unavailable(f"simulated cloud: {error or type(error).__name__}") from error
        if answer.is_server_error:
            raise Unavailable(f"simulated cloud: status {answer.status_code}")
        if answer.is_error and not (missing_ok and answer.status_code == 404):
            raise Refused(f"simulated cloud: {answer.text}")
        return answer.json()


def _instance(found: Mapping[str, Any]) -> TenantInstance:
    return TenantInstance(
        id=found["id"],
        name=found["name"],
        group_id=found["group_id"],
        active=found["floating_ip"],
        ready=found["status"] == "ACTIVE",
    )
