"""A maintenance session: what was asked for and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fenix.domain.options import SessionOptions


class SessionState(StrEnum):
    """Where a session stands, in the API and in messages."""

    MAINTENANCE = "MAINTENANCE"
    SCALE_IN = "SCALE_IN"
    PREPARE_MAINTENANCE = "PREPARE_MAINTENANCE"
    START_MAINTENANCE = "START_MAINTENANCE"
    PLANNED_MAINTENANCE = "PLANNED_MAINTENANCE"
    MAINTENANCE_COMPLETE = "MAINTENANCE_COMPLETE"
    MAINTENANCE_DONE = "MAINTENANCE_DONE"
    MAINTENANCE_FAILED = "MAINTENANCE_FAILED"

    @property
    def ended(self) -> bool:
        """Whether clients take it for the end of the session."""
        return self in (SessionState.MAINTENANCE_DONE, SessionState.MAINTENANCE_FAILED)


class ActionType(StrEnum):
    """When an action plug-in runs: around the session, or on hosts of a type."""

    PRE = "pre"
    HOST = "host"
    COMPUTE = "compute"
    CONTROLLER = "controller"
    POST = "post"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action that the session runs.

    Attributes:
        plugin: name of the entry point in group ``fenix.actions``.
        metadata: what the plug-in gets, its own business.
    """

    plugin: str
    type: ActionType
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What an administrator asks for; validated.

    Attributes:
        maintenance_at: naive UTC; no instance is touched and no action run before.
        hosts: names of the hosts; empty: all compute hosts.
        metadata: told to the applications in each message.
    """

    workflow: str
    maintenance_at: datetime
    metadata: Mapping[str, Any] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    actions: Sequence[ActionSpec] = ()
    download: Sequence[str] = ()
    options: SessionOptions = field(default_factory=SessionOptions)


class Ending(StrEnum):
    """Why a session's work is being wound up."""

    FAILED = "failed"
    DELETED = "deleted"


@dataclass(slots=True)
class Session:
    """A session as the store knows it.

    Attributes:
        admin_project_id: the project whose administrator created it; `maintenance.host` and
            `maintenance.session` messages carry it.
        state: where it stands, or for a failed one MAINTENANCE_FAILED.
        failed_state: where it was when it failed.
        reason: why it failed, in words.
        ending: set while the work is wound up: hosts are enabled again, moves awaited.
        memory: what the workflow wants to know again after a restart; JSON values.
        resume_state: where an administrator wants a failed one to go on.
        delete_requested: an administrator wants it gone.
        open: whether an engine has something to do for it.
    """

    id: str
    request: SessionRequest
    admin_project_id: str
    created_at: datetime
    updated_at: datetime
    state: SessionState = SessionState.MAINTENANCE
    failed_state: SessionState | None = None
    reason: str | None = None
    ending: Ending | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    percent_done: int = 0
    waiting_for: list[dict[str, Any]] = field(default_factory=list)
    resume_state: SessionState | None = None
    delete_requested: bool = False
    open: bool = True
    finished_at: datetime | None = None
