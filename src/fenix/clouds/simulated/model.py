"""The things a simulated cloud is made of; mutable, and known only to its world."""

from dataclasses import dataclass, field
from enum import StrEnum

from fenix.clouds.base import MovePhase
from fenix.domain import ZERO, HostType, InstanceStatus, MoveAction, Resources


@dataclass(slots=True)
class SimulatedHost:
    """A host; `used` counts what runs there and what is on its way to it."""

    name: str
    capacity: Resources
    zone: str = "nova"
    type: HostType = HostType.COMPUTE
    enabled: bool = True
    disabled_reason: str | None = None
    up: bool = True
    used: Resources = ZERO
    projects: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    members: dict[str, int] = field(default_factory=dict)
    """How many members of each group are here or on their way."""


@dataclass(slots=True)
class SimulatedInstance:
    """An instance, and how long (in seconds) its moves take."""

    id: str
    name: str
    project_id: str
    size: Resources
    host: str = ""
    group_id: str | None = None
    zone: str | None = None
    status: InstanceStatus = InstanceStatus.ACTIVE
    live_migration_seconds: float = 10.0
    migration_seconds: float = 30.0
    floating_ip: bool = False
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SimulatedGroup:
    """A server group with what the cloud enforces for it."""

    id: str
    project_id: str
    anti_affinity: bool = False
    max_instances_per_host: int = 0

    @property
    def per_host(self) -> int | None:
        """How many members one host may have; None: any number."""
        if self.anti_affinity:
            return self.max_instances_per_host or 1
        return self.max_instances_per_host or None


class Fault(StrEnum):
    """What can go wrong with a move."""

    REFUSED = "refused"
    """The cloud refuses to start it."""
    FAILS = "fails"
    """It is accepted and fails in the middle; the instance stays where it is."""
    ERROR = "error"
    """It is accepted, fails, and leaves the instance in ERROR."""
    STUCK = "stuck"
    """It never ends."""


@dataclass(slots=True)
class SimulatedMove:
    """One move; the record stays when it has ended.

    Attributes:
        started_at: the event loop's time, s.
    """

    id: str
    instance_id: str
    action: MoveAction
    source: str
    target: str
    started_at: float
    phase: MovePhase = MovePhase.RUNNING
    detail: str = ""
    fault: Fault | None = None
