"""What a cloud says about itself: its hosts, instances and groups at one moment.

These are facts of the cloud, read in bulk; what a session intends with them is in
`fenix.domain.records`.
"""

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from fenix.domain.resources import ZERO, Resources


class HostType(StrEnum):
    """What a host is for; decides which host actions run on it."""

    COMPUTE = "compute"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the cloud.

    Attributes:
        name: the name under which the cloud's API knows it.
        capacity: what instances may use of it, overcommit included.
        used: what is allocated on it, moves in progress included.
        enabled: whether the cloud's scheduler may place instances on it.
        disabled_reason: what the cloud keeps as the reason, when not enabled.
        up: whether the cloud hears from it.
        zone: its availability zone.
        projects: those that it is kept for; empty: any.
        offers: what an instance may ask of its host, as ``key=value``.
    """

    name: str
    capacity: Resources = ZERO
    used: Resources = ZERO
    type: HostType = HostType.COMPUTE
    enabled: bool = True
    disabled_reason: str | None = None
    up: bool = True
    zone: str = "nova"
    projects: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()

    @property
    def free(self) -> Resources:
        """What is not allocated."""
        return self.capacity.minus(self.used)


class InstanceStatus(StrEnum):
    """The states of an instance that matter to maintenance."""

    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"
    ERROR = "ERROR"
    BUSY = "BUSY"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of the cloud.

    Attributes:
        group_id: the server group that it is a member of.
        zone: the availability zone that it must stay in; None: any.
        requires: what its host must offer.
    """

    id: str
    name: str
    project_id: str
    host: str
    size: Resources
    group_id: str | None = None
    status: InstanceStatus = InstanceStatus.ACTIVE
    zone: str | None = None
    requires: frozenset[str] = frozenset()


class _Place(Protocol):
    @property
    def zone(self) -> str: ...
    @property
    def projects(self) -> Set[str]: ...
    @property
    def offers(self) -> Set[str]: ...


class _Guest(Protocol):
    @property
    def project_id(self) -> str: ...
    @property
    def zone(self) -> str | None: ...
    @property
    def requires(self) -> Set[str]: ...


def keeps_out(host: _Place, instance: _Guest) -> str | None:
    """Why a host takes an instance never, however much room it has, in words; None: it does."""
    if instance.zone is not None and instance.zone != host.zone:
        return f"it is not in zone {instance.zone}"
    if host.projects and instance.project_id not in host.projects:
        return "it is kept for other projects"
    if missing := instance.requires - host.offers:
        return f"it does not offer {', '.join(sorted(missing))}"
    return None


@dataclass(frozen=True, slots=True)
class Group:
    """A server group of the cloud: what the cloud itself enforces for its members."""

    id: str
    project_id: str
    anti_affinity: bool = False
    max_instances_per_host: int = 0


@dataclass(frozen=True)
class Inventory:
    """All hosts, instances and groups, by name and id."""

    hosts: Mapping[str, Host]
    instances: Mapping[str, Instance]
    groups: Mapping[str, Group] = field(default_factory=dict)

    @cached_property
    def by_host(self) -> Mapping[str, tuple[Instance, ...]]:
        """The instances on each host; hosts without any are absent."""
        found: dict[str, list[Instance]] = defaultdict(list)
        for instance in self.instances.values():
            found[instance.host].append(instance)
        return {host: tuple(instances) for host, instances in found.items()}

    def on(self, host: str) -> tuple[Instance, ...]:
        """The instances on one host."""
        return self.by_host.get(host, ())
