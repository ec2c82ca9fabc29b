"""Hosts: Nova's services, their aggregates, and the room that Placement sees on them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from fenix.clouds.base import CloudUnavailable
from fenix.clouds.openstack.api import Api, Json, Params
from fenix.clouds.openstack.placement import Room, read_room, read_rooms
from fenix.domain import Host, HostType

COMPUTE = "nova-compute"
_KEPT_FOR = "filter_tenant_id"
"""How keys begin whose values are projects; Nova allows any ending, for more of them."""
_CONTROL = frozenset({"nova-scheduler", "nova-conductor"})

# From 2.88 on Nova may ask every host for its uptime to answer this list.
_HYPERVISORS = (2, 87)


class Hosts:
    """Reads hosts; remembers which compute nodes belong to which host."""

    def __init__(self, compute: Api, placement: Api) -> None:
        self._compute = compute
        self._placement = placement
        self._nodes: Mapping[str, Collection[str]] = {}

    def read(self) -> Mapping[str, Host]:
        """All hosts with nova-compute, and those of the control plane."""
        return self._read({}, lambda nodes: read_rooms(self._placement, nodes))

    def read_one(self, name: str) -> Mapping[str, Host]:
        """One host by its name; none where Nova does not have it."""
        return self._read(
            {"host": name},
            lambda nodes: {node: read_room(self._placement, node) for node in nodes},
        )

    def _read(
        self, which: Params, rooms_of: Callable[[Collection[str]], Mapping[str, Room]]
    ) -> Mapping[str, Host]:
        services = self._compute.get("/os-services", which)["services"]
        aggregates = self._compute.get("/os-aggregates")["aggregates"]
        names = {service["host"] for service in services if service["binary"] == COMPUTE}
        nodes = self._nodes if names <= self._nodes.keys() else self._read_nodes()
        rooms = rooms_of([node for name in names for node in nodes.get(name, ())])
        # A node without any room may have been made anew, with another uuid: look again next time.
        self._nodes = {} if Room() in rooms.values() else nodes
        return hosts(
            services,
            aggregates,
            {name: _total(rooms[node] for node in nodes.get(name, ())) for name in names},
        )

    def _read_nodes(self) -> Mapping[str, Collection[str]]:
        """Compute nodes, which Placement knows by the same uuid, by the name of their host."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for node in self._compute.pages(
            "/os-hypervisors/detail", "hypervisors", newest=_HYPERVISORS
        ):
            found[node["service"]["host"]].append(node["id"])
        return found


def hosts(
    services: Iterable[Json], aggregates: Iterable[Json], rooms: Mapping[str, Room]
) -> Mapping[str, Host]:
    """The hosts by name.

    A host that runs nova-compute is a compute host, whatever else it runs. One that only runs
    nova-scheduler or nova-conductor is a controller: no room, never disabled (Nova can't), up
    while any of its services is. What a host's aggregates have as metadata is what it offers
    (`AggregateInstanceExtraSpecsFilter`), and the projects that they name are those that it is kept
    for (`AggregateMultiTenancyIsolation`).

    Args:
        services: Nova's answer, microversion 2.69 or newer.
        rooms: by host name.

    Raises:
        CloudUnavailable: a cell does not answer; the inventory would lack what is in it.
    """
    offers: defaultdict[str, set[str]] = defaultdict(set)
    projects: defaultdict[str, set[str]] = defaultdict(set)
    for aggregate in aggregates:
        for key, value in (aggregate.get("metadata") or {}).items():
            parts = {part.strip() for part in value.split(",")}
            for name in aggregate["hosts"]:
                offers[name].update(f"{key}={part}" for part in parts)
                if key.startswith(_KEPT_FOR):
                    projects[name] |= parts
    computes: dict[str, Host] = {}
    controllers: dict[str, Host] = {}
    for service in services:
        name, binary = service["host"], service["binary"]
        if service["status"] == "UNKNOWN":
            raise CloudUnavailable(f"the cell of host {name} does not answer")
        up = service["state"] == "up"
        if binary == COMPUTE:
            room = rooms.get(name, Room())
            computes[name] = Host(
                name=name,
                capacity=room.capacity,
                used=room.used,
                enabled=service["status"] == "enabled",
                disabled_reason=service["disabled_reason"],
                up=up,
                zone=service["zone"],
                projects=frozenset(projects[name]),
                offers=frozenset(offers[name]),
            )
        elif binary in _CONTROL:
            known = controllers.get(name)
            controllers[name] = Host(
                name=name,
                type=HostType.CONTROLLER,
                up=up or (known is not None and known.up),
                zone=service["zone"],
            )
    return controllers | computes


def _total(rooms: Iterable[Room]) -> Room:
    found = Room()
    for room in rooms:
        found = found.plus(room)
    return found
