"""How the things that a session works on are shown."""

from typing import Any

from pydantic import Field

from fenix.api.schemas.fields import Time, View
from fenix.domain import (
    ActionState,
    ActionType,
    DeliveryState,
    EventType,
    HostState,
    HostType,
    InstanceState,
    MoveAction,
    MoveState,
)


class HostView(View):
    """A host of a session."""

    name: str
    type: HostType
    state: HostState
    disabled_by_us: bool = Field(description="The session disabled it and has yet to enable it.")
    why: str = Field(description="The last decision about it.")
    started_at: Time | None
    finished_at: Time | None


class InstanceView(View):
    """An instance that a session has dealt with."""

    id: str
    name: str
    project_id: str
    host: str
    state: InstanceState
    action: MoveAction | None
    target: str | None
    replaced_by: str | None
    why: str = Field(description="The last decision about it.")


class ProjectView(View):
    """A project that a session talks with."""

    id: str
    reached: bool = Field(description="Some channel leads to it.")
    state: str | None = Field(description="The state of the last message to it.")
    reply: str | None = Field(description="Its last answer that counted.")
    instance_ids: list[str] = Field(description="What the last message to it concerns.")


class MoveView(View):
    """A move of an instance."""

    key: str
    instance_id: str
    source: str
    target: str | None
    action: MoveAction
    state: MoveState
    cloud_id: str | None
    started_at: Time
    finished_at: Time | None
    error: str | None


class ActionView(View):
    """A run of an action plug-in."""

    id: str
    key: str
    plugin: str
    type: ActionType
    host: str | None
    state: ActionState
    executor: str = Field(description="The machine that it runs on.")
    started_at: Time
    finished_at: Time | None
    error: str | None
    log: str = Field(description="What it printed; in a session's detail only the end of it.")


class DeliveryView(View):
    """A message on its way to one receiver."""

    channel: str
    target: str = Field(description="A subscription's id; empty: a broadcast.")
    state: DeliveryState
    attempts: int
    due_at: Time
    error: str | None
    delivered_at: Time | None


class MessageView(View):
    """A message and what became of it."""

    id: str
    sequence: int
    event_type: EventType
    project_id: str
    state: str
    payload: dict[str, Any]
    created_at: Time
    reply_by: Time | None
    reply: dict[str, Any] | None
    replied_at: Time | None
    deliveries: list[DeliveryView]
