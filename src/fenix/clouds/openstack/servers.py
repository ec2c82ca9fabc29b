"""What Nova says about a server, in the words of Fenix.

Field names are those of the Compute API, "List servers detailed", microversion 2.69 to 2.96.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from fenix.clouds.base import CloudError, CloudUnavailable
from fenix.clouds.openstack.api import Json
from fenix.domain import Instance, InstanceStatus, Resources

# PAUSED is ACTIVE because a live migration moves it and a cold one does not. Nova can move none
# of SUSPENDED, RESCUE and SHELVED either way: they count as STOPPED, since a live migration is
# out of the question, and Nova's refusal of the cold one tells why.
_STATUS = {
    "ACTIVE": InstanceStatus.ACTIVE,
    "PAUSED": InstanceStatus.ACTIVE,
    "SHUTOFF": InstanceStatus.STOPPED,
    "SUSPENDED": InstanceStatus.STOPPED,
    "RESCUE": InstanceStatus.STOPPED,
    "SHELVED": InstanceStatus.STOPPED,
}

GONE_STATUSES = frozenset({"DELETED", "SOFT_DELETED"})

# A server in a cell that does not answer: Nova knows its id and little more.
UNKNOWN = "UNKNOWN"

_HOST = "OS-EXT-SRV-ATTR:host"
_TASK = "OS-EXT-STS:task_state"


@dataclass(frozen=True, slots=True)
class Server:
    """The part of a server that tells how a move stands.

    Attributes:
        task_state: what Nova is doing with it, None when nothing.
        fault: Nova's words about the last error, for a server in ERROR.
    """

    id: str
    status: str
    task_state: str | None
    host: str | None
    fault: str = ""

    @classmethod
    def of(cls, server: Json) -> "Server":
        fault = server.get("fault") or {}
        return cls(
            id=server["id"],
            status=server["status"],
            task_state=server.get(_TASK),
            host=server.get(_HOST),
            fault=str(fault.get("message", "")),
        )


def status(nova_status: str, task_state: str | None) -> InstanceStatus:
    """The state that matters to maintenance.

    A task under way makes an instance BUSY, and so does every status that is not listed above
    (BUILD, RESIZE, VERIFY_RESIZE, MIGRATING, ...); an ERROR stays one, since tasks of broken
    instances often never end.
    """
    if nova_status == "ERROR":
        return InstanceStatus.ERROR
    if task_state is not None:
        return InstanceStatus.BUSY
    return _STATUS.get(nova_status, InstanceStatus.BUSY)


def size(server: Json) -> Resources:
    """What Nova claims for a server on a host, from the flavor embedded in it.

    The disk is root, ephemeral and swap, the latter rounded up to whole GiB; the root disk of a
    server that was booted from a volume is not on the host (Nova shows its image as "").
    """
    flavor = server["flavor"]
    root = 0 if server.get("image") == "" else flavor["disk"]
    swap = ceil((flavor.get("swap") or 0) / 1024)
    return Resources(flavor["vcpus"], flavor["ram"], root + flavor.get("ephemeral", 0) + swap)


def _asked_of_aggregates(extra_specs: Mapping[str, str]) -> Iterator[str]:
    """What a flavor asks of the aggregates of a host (Nova, `AggregateInstanceExtraSpecsFilter`).

    Values with an operator are left to Nova.
    """
    for name, value in extra_specs.items():
        scope, _, key = name.partition(":")
        if scope == "aggregate_instance_extra_specs" and " " not in value:
            yield f"{key}={value}"


def instance(server: Json, group_of: Mapping[str, str]) -> Instance | None:
    """The instance, or None when it is on no host (shelved and offloaded, not yet placed).

    Args:
        group_of: server group id by member id.

    Raises:
        CloudError: this account may not see hosts.
        CloudUnavailable: the cell of the instance does not answer.
    """
    if server["status"] == UNKNOWN:
        raise CloudUnavailable(
            f"the cell of instance {server['id']} does not answer, so the inventory would lack it"
        )
    if _HOST not in server:
        raise CloudError(
            "Nova does not show this account the instances' hosts (policy "
            "os_compute_api:os-extended-server-attributes)"
        )
    host = server[_HOST]
    if not host or server["status"] in GONE_STATUSES:
        return None
    return Instance(
        id=server["id"],
        name=server["name"],
        project_id=server["tenant_id"],
        host=host,
        size=size(server),
        group_id=group_of.get(server["id"]),
        status=status(server["status"], server.get(_TASK)),
        zone=server.get("pinned_availability_zone"),
        requires=frozenset(_asked_of_aggregates(server["flavor"].get("extra_specs") or {})),
    )
