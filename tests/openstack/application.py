"""A tenant of devcloud with an application that fills it, as OPNFV Doctor's scenario has it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from devcloud.settings import PASSWORD
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import V3Password
from keystoneauth1.session import Session

from tests.openstack.lab import Json, Lab

PAIR = ("db-1", "db-2")  # active and standby
REMOVABLE = ("web-1", "web-2", "web-3", "web-4")

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    # A scale-in takes the youngest two. Here it leaves two half empty hosts: PREPARE is needed.
    "spread": {
        "db-1": "compute-1",
        "db-2": "compute-2",
        "web-1": "compute-3",
        "web-2": "compute-3",
        "web-3": "compute-1",
        "web-4": "compute-2",
    },
    # Here it empties a host.
    "together": {
        "db-1": "compute-1",
        "db-2": "compute-2",
        "web-1": "compute-1",
        "web-2": "compute-2",
        "web-3": "compute-3",
        "web-4": "compute-3",
    },
}


@dataclass(frozen=True)
class Tenant:
    """A project and a user who is a member of it."""

    auth_url: str
    project_id: str
    user_id: str
    name: str
    operator: Lab
    """The administrator within this project, who can choose hosts."""

    def environment(self) -> dict[str, str]:
        """The member's account, as OpenStack's clients read it."""
        return {
            "OS_AUTH_URL": self.auth_url,
            "OS_USERNAME": self.name,
            "OS_PASSWORD": self.name,
            "OS_PROJECT_NAME": self.name,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": "RegionOne",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def session(self) -> Session:
        return _session(self.auth_url, self.name, self.name, self.name)

    def servers(self) -> dict[str, Json]:
        """The project's servers by name."""
        found = self.operator.compute.get("/servers/detail").json()["servers"]
        return {server["name"]: server for server in found}

    def deploy(self, layout: Mapping[str, str]) -> str:
        """Starts the application; returns the id of the pair's group."""
        group = self.operator.group("pair", "anti-affinity")
        for name, host in layout.items():
            more: Json = {"hints": {"group": group}} if name in PAIR else {}
            if name == PAIR[0]:
                more["metadata"] = {"active": "true"}
            self.operator.boot(name, host, flavor="v2", **more)
        return group


@contextmanager
def tenant(auth_url: str, admin: Session) -> Iterator[Tenant]:
    """A project with a member, both of one new name; taken away in the end."""
    identity = Adapter(admin, "identity")
    name = f"app-{uuid4().hex[:8]}"
    roles = {each["name"]: each["id"] for each in identity.get("/roles").json()["roles"]}
    body = {"project": {"name": name, "domain_id": "default"}}
    project = identity.post("/projects", json=body).json()["project"]["id"]
    user_body = {"user": {"name": name, "password": name, "domain_id": "default"}}
    user = identity.post("/users", json=user_body).json()["user"]["id"]
    try:
        identity.put(f"/projects/{project}/users/{user}/roles/{roles['member']}")
        identity.put(f"/projects/{project}/users/{admin.get_user_id()}/roles/{roles['admin']}")
        operator = _session(auth_url, "admin", PASSWORD, name)
        yield Tenant(auth_url, project, user, name, Lab(operator))
        operator.session.close()
    finally:
        identity.delete(f"/users/{user}")
        identity.delete(f"/projects/{project}")


def _session(auth_url: str, user: str, password: str, project: str) -> Session:
    return Session(
        V3Password(
            auth_url=auth_url,
            username=user,
            password=password,
            project_name=project,
            user_domain_name="Default",
            project_domain_name="Default",
        )
    )
