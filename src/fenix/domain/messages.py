"""The messages that Fenix sends and the replies that it gets (wire contract, "Messages")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fenix.domain.constraints import MoveAction


class EventType(StrEnum):
    """The three kinds of messages."""

    SCHEDULED = "maintenance.scheduled"
    HOST = "maintenance.host"
    SESSION = "maintenance.session"


class ProjectState(StrEnum):
    """The states of `maintenance.scheduled`; existing managers raise on any other."""

    MAINTENANCE = "MAINTENANCE"
    SCALE_IN = "SCALE_IN"
    PREPARE_MAINTENANCE = "PREPARE_MAINTENANCE"
    PLANNED_MAINTENANCE = "PLANNED_MAINTENANCE"
    INSTANCE_ACTION_DONE = "INSTANCE_ACTION_DONE"
    MAINTENANCE_COMPLETE = "MAINTENANCE_COMPLETE"

    @property
    def ack(self) -> str:
        """The reply that agrees."""
        return f"ACK_{self}"

    @property
    def nack(self) -> str:
        """The reply that refuses."""
        return f"NACK_{self}"

    @property
    def moves_instances(self) -> bool:
        """Whether the reply chooses what happens to instances."""
        return self in (ProjectState.PREPARE_MAINTENANCE, ProjectState.PLANNED_MAINTENANCE)

    @property
    def answered(self) -> bool:
        """Whether a reply is expected."""
        return self is not ProjectState.INSTANCE_ACTION_DONE


REPLY_STATES = frozenset(
    f"{word}_{state}" for state in ProjectState if state.answered for word in ("ACK", "NACK")
)


class HostNews(StrEnum):
    """The states of `maintenance.host`."""

    IN_MAINTENANCE = "IN_MAINTENANCE"
    MAINTENANCE_COMPLETE = "MAINTENANCE_COMPLETE"
    MAINTENANCE_FAILED = "MAINTENANCE_FAILED"
    HOST_ADDED = "HOST_ADDED"
    HOST_REMOVED = "HOST_REMOVED"


class DeliveryState(StrEnum):
    """Where the delivery of one message to one receiver stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"
    SENT_AGAIN = "SENT_AGAIN"


@dataclass(slots=True)
class Message:
    """A message in the outbox; the same id at each attempt to deliver it.

    Attributes:
        key: names the message within its session, so that it is written only once.
        sequence: counts the messages of the session, so that a receiver can restore the order.
        project_id: who it is for.
        payload: the body as it goes out.
        instance_ids: the instances that it concerns, if the reply can choose for each.
        reply_by: until when a reply counts; None: none is expected.
        reply: the reply that counted: ``state`` and ``instance_actions``.
    """

    id: str
    key: str
    sequence: int
    event_type: EventType
    project_id: str
    state: str
    payload: Mapping[str, Any]
    created_at: datetime
    instance_ids: tuple[str, ...] = ()
    reply_by: datetime | None = None
    reply: dict[str, Any] | None = None
    replied_at: datetime | None = None


@dataclass(slots=True)
class Delivery:
    """A message on its way to one receiver.

    Attributes:
        channel: name of the entry point in group ``fenix.channels``.
        target: whom the channel brings it to: a subscription's id, or empty for a broadcast.
        due_at: not to be tried before.
        requested_at: when an administrator had the message sent again; None: it is the first time.
    """

    id: int
    message: Message
    channel: str
    target: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    error: str | None = None
    delivered_at: datetime | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A project's answer, as it came in.

    Attributes:
        instance_id: set when the answer is about one instance.
        state: ``ACK_...`` or ``NACK_...``.
        instance_actions: the action for each instance, where the manager chose.
    """

    session_id: str
    project_id: str
    state: str
    instance_id: str | None = None
    instance_actions: Mapping[str, MoveAction] = field(default_factory=dict)
    id: int = 0


class BodyFormat(StrEnum):
    """The shapes in which a subscription can get its messages."""

    AODH = "aodh"
    CLOUDEVENTS = "cloudevents"


class SubscriptionHealth(StrEnum):
    """Whether a subscription's messages are taken: yes, or not now, or for so long not that
    messages are given up."""

    OK = "OK"
    FAILING = "FAILING"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A URL that gets a project's messages directly.

    Attributes:
        event_types: the kinds of messages that it gets.
        secret: what its messages are signed with, encrypted; None: they are not signed.
        old_secret: the one before, encrypted, by which they are signed as well for a while.
        old_secret_until: when that ends.
        failing_since: when the first message after the last that it took was not taken.
        retry_at: nothing is sent before; set while it fails.
        last_error: why a message was not taken the last time.
    """

    id: str
    project_id: str
    url: str
    format: BodyFormat
    event_types: tuple[EventType, ...]
    created_at: datetime
    secret: str | None = None
    old_secret: str | None = None
    old_secret_until: datetime | None = None
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None

    def health(self, now: datetime, give_up: timedelta) -> SubscriptionHealth:
        """Whether its messages are taken.

        Args:
            give_up: age at which messages that nobody takes are given up.
        """
        if self.failing_since is None:
            return SubscriptionHealth.OK
        dead = now - self.failing_since >= give_up
        return SubscriptionHealth.DEAD if dead else SubscriptionHealth.FAILING
