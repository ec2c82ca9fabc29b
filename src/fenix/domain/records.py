"""What a session knows of each host, instance, project, move and action that it works on.

Hosts and instances have states of their own, since many are worked on at the same time; the
session's state is a summary of them (design, "How a session flows").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fenix.domain.constraints import MoveAction
from fenix.domain.inventory import HostType
from fenix.domain.session import ActionType


class HostState(StrEnum):
    """Where a host of a session stands."""

    PENDING = "PENDING"
    DRAINING = "DRAINING"
    EMPTY = "EMPTY"
    IN_MAINTENANCE = "IN_MAINTENANCE"
    MAINTAINED = "MAINTAINED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(slots=True)
class HostRecord:
    """A host of a session.

    Attributes:
        disabled_by_us: the session disabled it and has yet to enable it.
        why: the last decision about it, in one sentence.
    """

    name: str
    type: HostType = HostType.COMPUTE
    state: HostState = HostState.PENDING
    disabled_by_us: bool = False
    why: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class InstanceState(StrEnum):
    """Where an instance of a session stands."""

    PENDING = "PENDING"
    ASKED = "ASKED"
    AGREED = "AGREED"
    MOVING = "MOVING"
    MOVED = "MOVED"
    FAILED = "FAILED"
    GONE = "GONE"


@dataclass(slots=True)
class InstanceRecord:
    """An instance that a session has dealt with.

    Attributes:
        host: where it is, as far as the session knows.
        replaced_by: id of the instance of the same name that its manager built in its place.
        why: the last decision about it, in one sentence.
    """

    id: str
    name: str
    project_id: str
    host: str
    state: InstanceState = InstanceState.PENDING
    action: MoveAction | None = None
    target: str | None = None
    replaced_by: str | None = None
    why: str = ""


@dataclass(slots=True)
class ProjectRecord:
    """A project that a session talks with.

    Attributes:
        reached: whether some channel leads to it, so that it can be asked.
        state: the state of the last message to it.
        reply: its last answer that counted (``ACK_...`` or ``NACK_...``).
        instance_ids: the instances that the last message concerns.
    """

    id: str
    reached: bool = True
    state: str | None = None
    reply: str | None = None
    instance_ids: list[str] = field(default_factory=list)


class MoveState(StrEnum):
    """Where a move stands."""

    INTENDED = "INTENDED"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(slots=True)
class MoveRecord:
    """One move of one instance; written before the cloud is asked.

    Attributes:
        key: names the move within the session, so that it is made only once.
        target: the host that was asked for; None: the cloud's scheduler decides. After the move
            the host where the instance runs.
        cloud_id: the cloud's own id of the move, as soon as it is known.
    """

    key: str
    instance_id: str
    source: str
    target: str | None
    action: MoveAction
    started_at: datetime
    state: MoveState = MoveState.INTENDED
    cloud_id: str | None = None
    finished_at: datetime | None = None
    error: str | None = None


class ActionState(StrEnum):
    """Where a run of an action stands."""

    INTENDED = "INTENDED"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(slots=True)
class ActionRecord:
    """One run of one action plug-in; written before the plug-in starts.

    Attributes:
        id: names the run everywhere, so that it is started only once.
        key: names the run within the session.
        log: what the plug-in printed, bounded.
    """

    id: str
    key: str
    plugin: str
    type: ActionType
    host: str | None
    metadata: Mapping[str, Any]
    started_at: datetime
    state: ActionState = ActionState.INTENDED
    finished_at: datetime | None = None
    error: str | None = None
    log: str = ""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A line of the session's append-only timeline: who, what, when, why.

    Attributes:
        what: the kind of event, e.g. ``host.disabled``.
        why: a sentence for people.
    """

    at: datetime
    who: str
    what: str
    why: str = ""
    host: str | None = None
    instance: str | None = None
    project: str | None = None
