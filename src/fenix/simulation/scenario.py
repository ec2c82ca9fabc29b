"""The form of scenario files: a cloud, the applications on it, and one maintenance session.

Validation is strict: an unknown key, a dangling name, a duplicate id or a cloud that is over its
capacity is an error that names it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fenix.clouds.simulated import Fault
from fenix.domain import ActionType, HostType, MoveAction, ProjectState, Resources, total

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
        _unique("hosts", (host.name for host in self.hosts))
        _unique("projects", (project.id for project in self.projects))
        _unique("groups", (group.id for group in self.groups))
        started = [fault.appears.id if fault.appears else "" for fault in self.faults]
        _unique("instances", (instance.id for instance in self.instances))
        _unique("session", self.session.hosts, "hosts")
        hosts = {host.name: host for host in self.hosts}
        projects = {project.id for project in self.projects}
        groups = {group.id: group for group in self.groups}
        instances = {instance.id for instance in self.instances}
        for number, group in enumerate(self.groups):
            where = At(f"groups.{group.id}", "groups", number)
            where.known("project", group.project, projects)
        for number, instance in enumerate(self.instances):
            self._check_instance(
                At(f"instances.{instance.id}", "instances", number), instance, hosts, groups
            )
        for number, name in enumerate(self.session.hosts):
            At("session.hosts", "session", "hosts").known(number, name, hosts)
        for number, fault in enumerate(self.faults):
            where = At("faults", "faults", number)
            where.known("instance", fault.instance, instances)
            where.known("host", fault.host, hosts)
            where.known("project", fault.project, projects)
            where.known("vanishes", fault.vanishes, instances)
            if fault.appears is not None:
                where = At("faults.appears", "faults", number, "appears")
                self._check_instance(where, fault.appears, {"": None, **hosts}, groups)
                if fault.appears.id in instances or fault.appears.id in started[:number]:
                    raise where.wrong("id", f"{fault.appears.id!r} is there more than once")
        self._check_capacity(hosts, groups)
        return self

    def _check_instance(
        self,
        where: "At",
        instance: InstanceModel,
        hosts: Collection[str],
        groups: Mapping[str, GroupModel],
    ) -> None:
        where.known("host", instance.host, hosts)
        where.known("project", instance.project, {project.id for project in self.projects})
        where.known("group", instance.group, groups)
        if instance.group is not None and groups[instance.group].project != instance.project:
            owner = groups[instance.group].project
            raise where.wrong(
                "group", f"{instance.group!r} is of project {owner!r}, not {instance.project!r}"
            )

    def _check_capacity(self, hosts: dict[str, HostModel], groups: dict[str, GroupModel]) -> None:
        on: dict[str, list[InstanceModel]] = {}
        for instance in self.instances:
            on.setdefault(instance.host, []).append(instance)
        for number, host in enumerate(self.hosts):
            instances, where = on.get(host.name, []), At(f"hosts.{host.name}", "hosts", number)
            load = total([instance.size for instance in instances])
            if not load.fits(host.size):
                raise where.wrong(None, f"its instances use {load}, more than its {host.size}")
            members = Counter(instance.group for instance in instances if instance.group)
            for group_id, count in members.items():
                limit = groups[group_id].per_host
                if limit is not None and count > limit:
                    raise where.wrong(
                        None,
                        f"it has {count} members of group {group_id}, which allows {limit} on a "
                        "host",
                    )

    @property
    def session_hosts(self) -> tuple[HostModel, ...]:
        """The hosts that the session works on."""
        if not self.session.hosts:
            return tuple(host for host in self.hosts if host.type is HostType.COMPUTE)
        wanted = set(self.session.hosts)
        return tuple(host for host in self.hosts if host.name in wanted)


class WrongPart(ValueError):
    """A part of a scenario does not fit the others.

    Attributes:
        path: to the part, by keys and numbers.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


class At:
    """A place in a scenario.

    Args:
        name: for people, with the id of what is there.
        path: for machines, with its number.
    """

    def __init__(self, name: str, *path: str | int) -> None:
        self._name = name
        self._path = path

    def wrong(self, key: str | int | None, message: str) -> WrongPart:
        """What is wrong here, at a key of it or with all of it."""
        if key is None:
            return WrongPart(self._path, f"{self._name}: {message}")
        name = self._name if isinstance(key, int) else f"{self._name}.{key}"
        return WrongPart((*self._path, key), f"{name}: {message}")

    def known(self, key: str | int, name: str | None, names: Collection[str]) -> None:
        """Makes sure that a name, if there is one, is one of those that are defined."""
        if name is not None and name not in names:
            raise self.wrong(key, f"{name!r} is not defined")


def _unique(part: str, idents: Iterable[str], key: str = "") -> None:
    seen: set[str] = set()
    path = (part, key) if key else (part,)
    for number, ident in enumerate(idents):
        if ident in seen:
            message = f"{'.'.join(path)}: {ident!r} is there more than once"
            raise WrongPart((*path, number), message)
        seen.add(ident)
