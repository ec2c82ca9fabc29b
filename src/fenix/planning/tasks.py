"""The words of the rolling decisions: where hosts and instances stand, and what may start."""

from dataclasses import dataclass, field
from enum import StrEnum

from fenix.domain import Instance


@dataclass(frozen=True, slots=True)
class RollingOptions:
    """What limits the rolling; None is no limit.

    Attributes:
        second_moves: how many instances may be moved to hosts that are not yet maintained, and so
            once more later, as a share of all: more shortens the session, fewer disturbs less.
    """

    parallel_hosts: int | None = None
    parallel_migrations: int | None = None
    parallel_migrations_per_host: int | None = None
    second_moves: float = 0.10
    default_members: int = 1


class HostStage(StrEnum):
    """Where a host stands for the decisions."""

    PENDING = "pending"
    DRAINING = "draining"
    EMPTY = "empty"
    WORKED_ON = "worked_on"
    READY = "ready"
    OUT = "out"


class TaskStage(StrEnum):
    """Where the move of an instance stands for the decisions."""

    WAITING = "waiting"
    ASKED = "asked"
    AGREED = "agreed"
    MOVING = "moving"


AHEAD = (TaskStage.ASKED, TaskStage.AGREED)
UNDER_WAY = (*AHEAD, TaskStage.MOVING)


@dataclass(slots=True)
class Task:
    """The move of one instance off its host.

    Attributes:
        target: the host where room is reserved for it; None while there is none.
        second: the target is not maintained yet, so the instance will move once more.
        after: ids of instances that must have left the target before.
        makes_room: it only makes room for another instance; its own host is not drained yet.
        detour: it is a step of a detour (see `Rolling.find_detour`).
        failed_on: targets that did not take it; they come last.
    """

    instance: Instance
    source: str
    target: str | None = None
    second: bool = False
    stage: TaskStage = TaskStage.WAITING
    why: str = ""
    after: frozenset[str] = frozenset()
    makes_room: bool = False
    detour: bool = False
    failed_on: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Decisions:
    """What may start now."""

    drain: list[tuple[str, str]] = field(default_factory=list)
    """Hosts with the sentence why."""
    ask: list[Task] = field(default_factory=list)
    move: list[Task] = field(default_factory=list)
    maintain: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.drain or self.ask or self.move or self.maintain)
