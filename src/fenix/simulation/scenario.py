"""The form of scenario files: a cloud, the applications on it, and one maintenance session.

Validation is strict: an unknown key, a dangling name, a duplicate id or a cloud that is over its
capacity is an error that names it.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fenix.clouds.simulated import Fault
from fenix.domain import ActionType, HostType, MoveAction, ProjectState, Resources
from fenix.simulation import consistency

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Limit = Annotated[int, Field(ge=1)] | None
Name = Annotated[str, Field(min_length=1, max_length=64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class LimitsModel(_Strict):
    """What the cloud and the operator allow; null is no limit."""

    parallel_hosts: Limit = None
    parallel_migrations: Limit = None
    parallel_migrations_per_host: Limit = None


class SizedModel(_Strict):
    """Something that has or uses resources."""

    vcpus: Count
    memory_mb: Count
    disk_gb: Count

    @property
    def size(self) -> Resources:
        """The three amounts."""
        return Resources(self.vcpus, self.memory_mb, self.disk_gb)


class HostModel(SizedModel):
    """A host of the cloud."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    zone: str = "nova"
    type: HostType = HostType.COMPUTE


class ScaleInModel(_Strict):
    """How a project gives capacity back, and takes it again at the end."""

    instances: Annotated[int, Field(ge=1)]
    max: Count
    seconds: Seconds
    scale_out_seconds: Seconds


class ManagerModel(_Strict):
    """An application manager; times are in seconds."""

    reply_seconds: Seconds
    scale_in: ScaleInModel | None = None


class ProjectModel(_Strict):
    """A project; without a manager nobody can be asked."""

    id: Name
    manager: ManagerModel | None = None


class GroupModel(_Strict):
    """A group of instances with its constraints."""

    id: Name
    project: Name
    max_impacted_members: Annotated[int, Field(ge=1)] = 1
    recovery_time: Seconds = 0
    anti_affinity: bool = False
    max_instances_per_host: Count = 0
    removable: bool = False

    @property
    def per_host(self) -> int | None:
        """How many members one host may have; None: any number."""
        if self.anti_affinity:
            return self.max_instances_per_host or 1
        return self.max_instances_per_host or None


class InstanceModel(SizedModel):
    """An instance with its constraints and how long its moves take."""

    id: Name
    name: Annotated[str, Field(min_length=1, max_length=255)]
    project: Name
    host: str
    group: str | None = None
    floating_ip: bool = False
    migration_type: MoveAction = MoveAction.LIVE_MIGRATE
    live_migration_seconds: Seconds
    migration_seconds: Seconds
    lead_time: Seconds = 120
    max_interruption_time: Seconds = 120

    @property
    def move_seconds(self) -> float:
        """How long its usual move takes."""
        live = self.migration_type is MoveAction.LIVE_MIGRATE
        return self.live_migration_seconds if live else self.migration_seconds


class ActionModel(_Strict):
    """What is done on each host, and how long it takes."""

    plugin: Literal["simulated"] = "simulated"
    type: ActionType
    seconds: Seconds


class SessionModel(_Strict):
    """The session that is to be carried out."""

    workflow: Name = "vnf"
    notice_seconds: Seconds = 30
    hosts: tuple[str, ...] = ()
    actions: tuple[ActionModel, ...] = (ActionModel(type=ActionType.HOST, seconds=60),)


class ReplyFault(StrEnum):
    """What can go wrong with the answers of a manager."""

    SILENT = "silent"
    """It says and does nothing."""
    NACK = "nack"
    """It refuses."""
    LATE = "late"
    """It does what it is asked for, and begins `delay` seconds later."""
    DOUBLE = "double"
    """It answers twice."""
    WRONG_STATE = "wrong_state"
    """It answers something that it was not asked."""


class FaultModel(_Strict):
    """Something that goes wrong, or happens without Fenix; one of:

    * the next moves of an instance: `instance`, `move`, `times`;
    * a host that dies, and comes back if there is an `until`: `host`, `at`, `until`;
    * a manager's next answers to messages of a state, of any if there is none: `project`, `reply`,
      `state`, `times`, `delay`;
    * an instance that vanishes: `vanishes`, `at`;
    * one that its project starts, where the scheduler likes best: `appears`, `at`.

    `at` and `until` are in seconds from the start.
    """

    instance: str | None = None
    move: Fault | None = None
    times: Annotated[int, Field(ge=1)] = 1
    host: str | None = None
    at: Seconds = 0
    until: Seconds | None = None
    project: str | None = None
    reply: ReplyFault | None = None
    state: ProjectState | None = None
    delay: Seconds = 600
    vanishes: str | None = None
    appears: InstanceModel | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = (self.instance, self.host, self.project, self.vanishes, self.appears)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError(
                "a fault has either an instance with a move, a host, a project with a reply, "
                "an instance that vanishes, or one that appears"
            )
        if (self.instance is None) != (self.move is None):
            raise ValueError("a fault of an instance names what its move does, in `move`")
        if (self.project is None) != (self.reply is None):
            raise ValueError("a fault of a project names what its manager does, in `reply`")
        return self


class Scenario(_Strict):
    """All of it. Times are in seconds, sizes in vCPUs, MiB and GiB."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    seed: int = 1
    limits: LimitsModel = LimitsModel()
    hosts: Annotated[tuple[HostModel, ...], Field(min_length=1)]
    projects: tuple[ProjectModel, ...]
    groups: tuple[GroupModel, ...]
    instances: tuple[InstanceModel, ...]
    session: SessionModel = SessionModel()
    faults: tuple[FaultModel, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        consistency.check(self)
        return self

    @property
    def session_hosts(self) -> tuple[HostModel, ...]:
        """The hosts that the session works on."""
        if not self.session.hosts:
            return tuple(host for host in self.hosts if host.type is HostType.COMPUTE)
        wanted = set(self.session.hosts)
        return tuple(host for host in self.hosts if host.name in wanted)
