"""What instances may use of each host, and what is allocated: Placement's figures.

Nova tells them no more (microversion 2.88), and Placement's are the ones that the scheduler goes
by: overcommit and reservations are in the capacity, and moves under way in the use, on both
hosts. Only the host's own provider is read; Nova keeps vCPUs, memory and disk there.

Placement has no list of all inventories and usages; asked one by one, a cloud of 1,000 hosts
takes 2,000 requests. But its answer to "where would one MiB fit?" sums up all resources of every
provider that has one left, in one request. Who has none left is found by a vCPU or a GiB, and
who has nothing left at all is asked about singly.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fenix.clouds.openstack.api import Api
from fenix.clouds.openstack.errors import Refused
from fenix.domain import ZERO, Resources

# A host that takes its disks from a sharing provider has none of its own: no limit of the host.
NO_LIMIT = 2**31 - 1

_PROBES = ("MEMORY_MB:1", "VCPU:1", "DISK_GB:1")


@dataclass(frozen=True, slots=True)
class Room:
    """What a host has to give, and what of it is given."""

    capacity: Resources = ZERO
    used: Resources = ZERO

    def plus(self, other: "Room") -> "Room":
        return Room(self.capacity.plus(other.capacity), self.used.plus(other.used))


def read_rooms(placement: Api, providers: Collection[str]) -> Mapping[str, Room]:
    """The room of each provider, by its uuid; one that Placement does not know has none."""
    missing = set(providers)
    rooms: dict[str, Room] = {}
    for probe in _PROBES:
        if not missing:
            break
        answer = placement.get("/allocation_candidates", {"resources": probe})
        summaries = answer["provider_summaries"]
        for provider in missing & summaries.keys():
            resources = summaries[provider]["resources"]
            rooms[provider] = room(
                {name: figures["capacity"] for name, figures in resources.items()},
                {name: figures["used"] for name, figures in resources.items()},
            )
        missing -= rooms.keys()
    return rooms | {provider: read_room(placement, provider) for provider in missing}


def read_room(placement: Api, provider: str) -> Room:
    """The room of one provider, by its uuid; one that Placement does not know has none."""
    try:
        inventories = placement.get("/resource_providers/{id}/inventories", id=provider)
        usages = placement.get("/resource_providers/{id}/usages", id=provider)
    except Refused as error:
        if error.status == 404:
            return Room()
        raise
    capacity = {name: capacity_of(each) for name, each in inventories["inventories"].items()}
    return room(capacity, usages["usages"])


def room(capacity: Mapping[str, int], used: Mapping[str, int]) -> Room:
    """The room of one provider from figures by resource class.

    Dedicated CPUs (PCPU) count as vCPUs like the shared ones.
    """
    disk = capacity.get("DISK_GB", NO_LIMIT if capacity else 0)
    return Room(
        Resources(_cpus(capacity), capacity.get("MEMORY_MB", 0), disk),
        Resources(_cpus(used), used.get("MEMORY_MB", 0), used.get("DISK_GB", 0)),
    )


def capacity_of(inventory: Mapping[str, Any]) -> int:
    """How much of one resource may be allocated (Placement API, "Resource provider inventory")."""
    return int((inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"])


def _cpus(amounts: Mapping[str, int]) -> int:
    return amounts.get("VCPU", 0) + amounts.get("PCPU", 0)
