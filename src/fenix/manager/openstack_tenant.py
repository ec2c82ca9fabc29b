"""The application in an OpenStack cloud, with the credentials of its project.

Which instance of a group is the active one:

* where the project has floating IPs in use, the one whose port holds one; a switch-over moves it;
* else the one with ``active=true`` in its metadata; a switch-over moves that mark.

Not covered: instances that boot from volumes, and user data that Nova does not show to projects.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import openstack.connection
from openstack import exceptions as sdk
from openstack.compute.v2._proxy import Proxy as ComputeProxy
from openstack.compute.v2.server import Server
from openstack.network.v2._proxy import Proxy as NetworkProxy
from openstack.network.v2.floating_ip import FloatingIP
from openstack.network.v2.port import Port

from fenix.manager.errors import Refused
from fenix.manager.openstack_errors import translated
from fenix.manager.tenant_cloud import TenantGroup, TenantInstance, wait_until

T = TypeVar("T")

_MARK = "active"


class OpenStackTenant:
    """Implements `TenantCloud`.

    Args:
        connection: openstacksdk's, of the project.
        timeout: seconds that creating or deleting an instance may take.
    """

    def __init__(self, connection: openstack.connection.Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._closing = threading.Event()
        self._lock = threading.Lock()  # a connection is for one thread at a time

    def instances(self) -> Sequence[TenantInstance]:
        """See `TenantCloud.instances`."""
        servers = self._do(lambda: list(self._compute.servers(details=True)))
        groups = self._do(lambda: list(self._compute.server_groups()))
        group_of = {member: group.id for group in groups for member in group.member_ids}
        active = self._active(servers)
        ordered = sorted(servers, key=lambda server: (server.created_at, server.name))
        # Nova's list does not say the groups of a server, only the list of groups does.
        return [
            _instance(server, group_of.get(server.id), server.id in active) for server in ordered
        ]

    def groups(self) -> Sequence[TenantGroup]:
        """See `TenantCloud.groups`."""
        found = self._do(lambda: list(self._compute.server_groups()))
        return [
            TenantGroup(
                id=group.id,
                name=group.name,
                anti_affinity=group.policy == "anti-affinity",
                max_instances_per_host=int((group.rules or {}).get("max_server_per_host", 0)),
            )
            for group in found
        ]

    def blueprint(self, instance_id: str) -> dict[str, Any]:
        """See `TenantCloud.blueprint`: the arguments for openstacksdk's `create_server`."""
        server = self._do(lambda: self._compute.get_server(instance_id))
        if not server.image or not server.image.id:
            raise Refused(f"instance {server.name} boots from a volume: it cannot be made again")
        flavor = self._do(
            lambda: self._compute.find_flavor(server.flavor.original_name, ignore_missing=False)
        )
        networks = [{"uuid": port.network_id} for port in self._ports(instance_id)]
        blueprint = {
            "name": server.name,
            "flavor_id": flavor.id,
            "image_id": server.image.id,
            "networks": networks or "none",  # not to be left out, and empty means: choose some
            "metadata": server.metadata,
            "key_name": server.key_name,
            "user_data": server.user_data,
            "availability_zone": server.pinned_availability_zone,
            "security_groups": [
                {"name": name}
                for name in sorted({group["name"] for group in server.security_groups or ()})
            ],
            "scheduler_hints": {"group": _group_of(server)} if _group_of(server) else None,
        }
        return {name: value for name, value in blueprint.items() if value}

    def delete(self, instance_id: str) -> None:
        """See `TenantCloud.delete`."""
        self._do(lambda: self._compute.delete_server(instance_id, ignore_missing=True))

        def gone() -> bool:
            try:
                self._do(lambda: self._compute.get_server(instance_id))
            except Refused as error:
                if isinstance(error.__cause__, sdk.NotFoundException):
                    return True
                raise
            return False

        self._wait(gone, f"the deletion of instance {instance_id}")

    def create(self, blueprint: Mapping[str, Any]) -> TenantInstance:
        """See `TenantCloud.create`."""
        ident = str(self._do(lambda: self._compute.create_server(**blueprint)).id)
        found: list[Server] = []

        def settled() -> bool:
            found[:] = [self._do(lambda: self._compute.get_server(ident))]
            return found[0].status in ("ACTIVE", "ERROR")

        self._wait(settled, f"instance {blueprint['name']} to run")
        if found[0].status == "ERROR":
            why = (found[0].fault or {}).get("message", "unknown")
            self.delete(ident)
            raise Refused(f"instance {blueprint['name']} could not be created: {why}")
        return _instance(found[0], _group_of(found[0]), ident in self._active(found))

    def replace(self, instance_id: str) -> TenantInstance:
        """See `TenantCloud.replace`; projects choose no host, but Fenix has closed the old one."""
        blueprint = self.blueprint(instance_id)
        held = self._held_by(instance_id)
        self.delete(instance_id)
        new = self.create(blueprint)
        self._give(held, new.id)
        return replace(new, active=new.active or bool(held))

    def make_active(self, source_id: str, target_id: str) -> None:
        """See `TenantCloud.make_active`."""
        if not self._floating_ips():
            self._do(lambda: self._compute.set_server_metadata(target_id, **{_MARK: "true"}))
            self._do(lambda: self._compute.delete_server_metadata(source_id, [_MARK]))
            return
        self._give(self._held_by(source_id), target_id)

    def close(self) -> None:
        """See `TenantCloud.close`."""
        self._closing.set()
        self._connection.close()

    # To name a service is to ask Keystone for it, so that both are only used within `_do`.

    @property
    def _compute(self) -> ComputeProxy:
        return self._connection.compute

    @property
    def _network(self) -> NetworkProxy:
        return self._connection.network

    def _held_by(self, instance_id: str) -> list[tuple[str, str]]:
        """The ids of the floating IPs of an instance, and of the networks of their ports."""
        network_of = {port.id: port.network_id for port in self._ports(instance_id)}
        return [
            (address.id, network_of[address.port_id])
            for address in self._floating_ips()
            if address.port_id in network_of
        ]

    def _give(self, held: Sequence[tuple[str, str]], instance_id: str) -> None:
        """Moves floating IPs to the instance's ports in the same networks."""
        port_in = {port.network_id: port.id for port in self._ports(instance_id)}
        for address, network in held:
            port = port_in.get(network)
            if port is None:
                raise Refused(f"instance {instance_id} has no port in network {network}")
            self._do(partial(self._rebind, address, port))

    def _rebind(self, address: str, port: str) -> None:
        self._network.update_ip(address, port_id=port)

    def _active(self, servers: Sequence[Server]) -> frozenset[str]:
        """The ids of the active ones."""
        addresses = self._floating_ips()
        if not addresses:
            return frozenset(s.id for s in servers if (s.metadata or {}).get(_MARK) == "true")
        held = {address.port_id for address in addresses}
        return frozenset(port.device_id for port in self._ports() if port.id in held)

    def _floating_ips(self) -> list[FloatingIP]:
        """The project's floating IPs that are in use."""
        connection = self._connection
        found = self._do(lambda: list(self._network.ips(project_id=connection.current_project_id)))
        return [address for address in found if address.port_id]

    def _ports(self, instance_id: str | None = None) -> list[Port]:
        """The ports of one instance or of the whole project."""
        query = {"device_id": instance_id} if instance_id else {}
        return self._do(lambda: list(self._network.ports(**query)))

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, what, self._timeout, self._closing)

    def _do(self, call: Callable[[], T]) -> T:
        with self._lock, translated():
            return call()


def _instance(server: Server, group_id: str | None, active: bool) -> TenantInstance:
    return TenantInstance(
        id=server.id,
        name=server.name,
        group_id=group_id,
        active=active,
        ready=server.status == "ACTIVE" and not server.task_state,
    )


def _group_of(server: Server) -> str | None:
    groups = server.server_groups or ()
    return str(groups[0]) if groups else None
