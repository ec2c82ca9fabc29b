"""The other side of the driver's tests: an operator with his own connection to devcloud.

It shares nothing with the driver, so that what the driver says can be held against it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

from devcloud import hypervisor
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

Json = dict[str, Any]
T = TypeVar("T")
HOSTS = ("compute-1", "compute-2", "compute-3")
PATIENCE = 60.0


def utcnow() -> datetime:
    """The present time as tickets have it: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class Lab:
    """Devcloud in the hands of its administrator.

    Args:
        session: authenticated as the administrator.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.compute = Adapter(session, "compute", default_microversion="2.96")
        self.placement = Adapter(session, "placement", default_microversion="1.30")
        self.identity = Adapter(session, "identity")
        images = Adapter(session, "image").get("/v2/images?name=tiny").json()["images"]
        self._image: str = images[0]["id"]
        self._flavors: list[str] = []

    def boot(self, name: str, host: str | None = None, flavor: str = "v1", **more: Any) -> str:
        """Starts a server and waits until it is ACTIVE.

        Args:
            more: other fields of the request; `hints` are the scheduler's.
        """
        hints = more.pop("hints", {})
        server = {
            "name": name,
            "flavorRef": flavor,
            "imageRef": self._image,
            "networks": "none",
            **({"host": host} if host else {}),
            **more,
        }
        body = {"server": server, "os:scheduler_hints": hints}
        ident: str = self.compute.post("/servers", json=body).json()["server"]["id"]
        self.until(ident, lambda found: found["status"] == "ACTIVE")
        return ident

    def server(self, ident: str) -> Json:
        found: Json = self.compute.get(f"/servers/{ident}").json()["server"]
        return found

    def host_of(self, ident: str) -> str:
        return str(self.server(ident)["OS-EXT-SRV-ATTR:host"])

    def act(self, ident: str, **action: Any) -> None:
        """Posts an action, e.g. ``act(i, **{"os-stop": None})``."""
        self.compute.post(f"/servers/{ident}/action", json=action)

    def until(self, ident: str, true: Callable[[Json], bool]) -> Json:
        """Waits until the server is as wanted, or in ERROR, and Nova has nothing to do with it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.server(ident)
            if found["OS-EXT-STS:task_state"] is None and true(found):
                return found
            broken = found["status"] == "ERROR" and found["fault"]["message"]
            assert not broken, broken
            assert time.monotonic() < deadline, f"still {found['status']}"
            time.sleep(0.1)

    def eventually(self, look: Callable[[], T | None]) -> T:
        """Waits until there is something to see, and returns it."""
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)
        return found

    def stop(self, ident: str) -> None:
        self.act(ident, **{"os-stop": None})
        self.until(ident, lambda found: found["status"] == "SHUTOFF")

    def services(self) -> dict[str, Json]:
        """The nova-compute services by host."""
        found = self.compute.get("/os-services?binary=nova-compute").json()["services"]
        return {service["host"]: service for service in found}

    def switch(self, host: str, **change: Any) -> None:
        """Changes a service, e.g. ``switch(h, status="disabled", disabled_reason="why")``."""
        self.compute.put(f"/os-services/{self.services()[host]['id']}", json=change)

    def migrations(self, ident: str) -> list[Json]:
        """The server's migration records, the newest first."""
        found: list[Json] = self.compute.get(
            "/os-migrations", params={"instance_uuid": ident}
        ).json()["migrations"]
        return found

    def group(self, name: str, policy: str, **rules: int) -> str:
        body = {"server_group": {"name": name, "policy": policy, "rules": rules}}
        return str(self.compute.post("/os-server-groups", json=body).json()["server_group"]["id"])

    def aggregate(
        self, name: str, hosts: Iterable[str], zone: str | None = None, **metadata: str
    ) -> None:
        body = {"aggregate": {"name": name, "availability_zone": zone}}
        made = self.compute.post("/os-aggregates", json=body).json()["aggregate"]
        actions: list[Json] = [{"add_host": {"host": host}} for host in hosts]
        for action in [*actions, {"set_metadata": {"metadata": metadata}}]:
            self.compute.post(f"/os-aggregates/{made['id']}/action", json=action)

    def flavor(self, name: str, **extra_specs: str) -> None:
        """A flavor of one vCPU; it goes when all is cleaned."""
        body = {"flavor": {"id": name, "name": name, "vcpus": 1, "ram": 256, "disk": 1}}
        self.compute.post("/flavors", json=body)
        specs = {"extra_specs": extra_specs}
        self.compute.post(f"/flavors/{name}/os-extra_specs", json=specs)
        self._flavors.append(name)

    def figures(self, provider: str) -> tuple[Json, Json]:
        """Placement's inventories and usages of one provider."""
        path = f"/resource_providers/{provider}"
        inventories = self.placement.get(f"{path}/inventories").json()["inventories"]
        return inventories, self.placement.get(f"{path}/usages").json()["usages"]

    def providers(self) -> dict[str, str]:
        """Uuids of the hosts' resource providers by name."""
        found = self.placement.get("/resource_providers").json()["resource_providers"]
        return {provider["name"]: provider["uuid"] for provider in found}

    @contextmanager
    def provider(self, totals: Mapping[str, int]) -> Iterator[str]:
        """A resource provider with that much of each resource class; its uuid."""
        ident = str(uuid4())
        path = f"/resource_providers/{ident}"
        self.placement.post("/resource_providers", json={"uuid": ident, "name": ident})
        inventories = {name: {"total": total} for name, total in totals.items()}
        body = {"resource_provider_generation": 0, "inventories": inventories}
        self.placement.put(f"{path}/inventories", json=body)
        try:
            yield ident
        finally:
            for consumer in self.placement.get(f"{path}/allocations").json()["allocations"]:
                self.placement.delete(f"/allocations/{consumer}")
            self.placement.delete(path)

    def allocate(self, provider: str, resources: Mapping[str, int]) -> None:
        project = self.session.get_project_id()
        body = {
            "allocations": {provider: {"resources": dict(resources)}},
            "project_id": project,
            "user_id": self.session.get_user_id(),
            "consumer_generation": None,
        }
        self.placement.put(f"/allocations/{uuid4()}", json=body)

    @contextmanager
    def application_credential(self) -> Iterator[tuple[str, str]]:
        """An application credential of the administrator: its id and secret."""
        path = f"/users/{self.session.get_user_id()}/application_credentials"
        body = {"application_credential": {"name": str(uuid4())}}
        made = self.identity.post(path, json=body).json()["application_credential"]
        try:
            yield made["id"], made["secret"]
        finally:
            self.identity.delete(f"{path}/{made['id']}")

    @contextmanager
    def member(self) -> Iterator[str]:
        """A project and a user who is a mere member of it; the name and password of both."""
        name = str(uuid4())
        project = self._make("project", name=name)
        user = self._make("user", name=name, password=name)
        [role] = self.identity.get("/roles?name=member").json()["roles"]
        self.identity.put(f"/projects/{project}/users/{user}/roles/{role['id']}")
        try:
            yield name
        finally:
            self.identity.delete(f"/users/{user}")
            self.identity.delete(f"/projects/{project}")

    def clean(self) -> None:
        """Takes away what a test left: servers, groups, aggregates, closed hosts, faults."""
        for host in HOSTS:
            hypervisor.reset(host)
        servers = self._all("/servers?all_tenants=1", "servers")
        for server in servers:
            self.compute.delete(f"/servers/{server['id']}", raise_exc=False)
        for group in self._all("/os-server-groups?all_projects=1", "server_groups"):
            self.compute.delete(f"/os-server-groups/{group['id']}")
        for host, service in self.services().items():
            if service["status"] != "enabled":
                self.switch(host, status="enabled")
        deadline = time.monotonic() + PATIENCE
        while left := self._all("/servers?all_tenants=1", "servers"):
            assert time.monotonic() < deadline, f"not deleted: {left}"
            time.sleep(0.1)
        for provider in self.providers().values():
            # Nova forgets what a server held that was deleted in the middle of a move.
            found = self.placement.get(f"/resource_providers/{provider}/allocations").json()
            for consumer in found["allocations"]:
                self.placement.delete(f"/allocations/{consumer}")
        for aggregate in self._all("/os-aggregates", "aggregates"):
            path = f"/os-aggregates/{aggregate['id']}"
            for host in aggregate["hosts"]:
                self.compute.post(f"{path}/action", json={"remove_host": {"host": host}})
            self.compute.delete(path)
        while self._flavors:
            self.compute.delete(f"/flavors/{self._flavors.pop()}")

    def _make(self, kind: str, **fields: str) -> str:
        body = {kind: {"domain_id": "default", **fields}}
        return str(self.identity.post(f"/{kind}s", json=body).json()[kind]["id"])

    def _all(self, path: str, key: str) -> list[Json]:
        found: list[Json] = self.compute.get(path).json()[key]
        return found
