"""How sessions are shown."""

from typing import Any

from pydantic import Field

from fenix.api.schemas.fields import Time, View
from fenix.api.schemas.progress import (
    ActionView,
    HostView,
    InstanceView,
    MessageView,
    MoveView,
    ProjectView,
)
from fenix.domain import ActionType, Ending, SessionState

EXAMPLE_ID = "4f1f4f7e-0b5c-4f2d-9d25-9a1b1d1a2c3d"


class SessionCreated(View):
    """The new session."""

    session_id: str = Field(examples=[EXAMPLE_ID])


class SessionList(View):
    """The ids of all sessions, oldest first, under both names that clients know."""

    sessions: list[str] = Field(examples=[[EXAMPLE_ID]])
    session_id: list[str] = Field(examples=[[EXAMPLE_ID]])


class SessionContinued(View):
    """The session that goes on."""

    maintenance: str = Field(description="Its URL.")
    session_id: str = Field(examples=[EXAMPLE_ID])


class InstanceIds(View):
    """The instances that the last message to a project concerns."""

    instance_ids: list[str]


class SpecView(View):
    """An action that was asked for."""

    plugin: str
    type: ActionType
    metadata: dict[str, Any]


class RequestView(View):
    """What was asked for."""

    workflow: str
    maintenance_at: Time
    metadata: dict[str, Any]
    hosts: list[str] = Field(description="As sent; empty: all that compute.")
    actions: list[SpecView]
    download: list[str]
    options: dict[str, Any]


class WaitView(View):
    """One thing that the session waits for."""

    who: str = Field(description="Who has to do something.")
    what: str = Field(description="What it has to do.")
    since: str | None = Field(default=None, description="Naive UTC.")
    until: str | None = Field(default=None, description="When the wait ends by itself.")


class SessionView(View):
    """Where a session stands."""

    session_id: str = Field(validation_alias="id", examples=[EXAMPLE_ID])
    state: SessionState = Field(
        description="`MAINTENANCE_DONE` and `MAINTENANCE_FAILED` are the ends."
    )
    percent_done: int
    reason: str | None = Field(description="Why it failed.")
    failed_state: SessionState | None = Field(description="Where it was when it failed.")
    resume_state: SessionState | None = Field(
        description="Where an administrator wants it to go on."
    )
    ending: Ending | None = Field(description="Set while its work is wound up, and after.")
    delete_requested: bool
    waiting_for: list[WaitView]
    admin_project_id: str
    created_at: Time
    updated_at: Time
    finished_at: Time | None


class Problem(View):
    """Something that went wrong."""

    what: str = Field(description="`session`, `host`, `move`, `action` or `delivery`.")
    subject: str = Field(description="Its name or id.")
    error: str


class SessionHead(SessionView):
    """What a session's detail begins with."""

    request: RequestView


class SessionDetail(SessionHead):
    """Everything about a session but its timeline and the whole logs of its actions.

    Only what describes it: the answer is written piece by piece (`fenix.api.detail`).
    """

    hosts: list[HostView]
    instances: list[InstanceView]
    projects: list[ProjectView]
    moves: list[MoveView]
    actions: list[ActionView]
    messages: list[MessageView]
    errors: list[Problem]


class EntryView(View):
    """A line of a timeline: who, what, when, why."""

    id: int
    at: Time
    who: str
    what: str
    why: str
    host: str | None
    instance: str | None
    project: str | None


class Timeline(View):
    """Lines of a session's timeline, oldest first."""

    timeline: list[EntryView]
    next: int | None = Field(description="Give this as `after` for the next lines; null: the end.")
