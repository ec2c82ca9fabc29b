"""The outbox: messages, written with the state that they tell of, and their deliveries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from fenix.domain import Delivery, DeliveryState, EventType, Message
from fenix.store.database import Write
from fenix.store.rows import values
from fenix.store.tables import deliveries, messages

_INSERT = insert(messages)
_INSERT_DELIVERIES = insert(deliveries)
_REPLIED = (
    update(messages)
    .where(messages.c.id == bindparam("m"))
    .values(reply=bindparam("reply"), replied_at=bindparam("replied_at"))
)
_ATTEMPT = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("d"))
    .values({name: bindparam(name) for name in ("state", "attempts", "due_at", "error")})
    .values(delivered_at=bindparam("delivered_at"))
)


def add(session_id: str, message: Message, targets: Iterable[tuple[str, str]]) -> Write:
    """Writes a message and a delivery for each (channel, target) that gets it."""
    row = values(message) | {
        "session_id": session_id,
        "payload": dict(message.payload),
        "instance_ids": list(message.instance_ids),
    }
    pending = [
        {
            "message_id": message.id,
            "session_id": session_id,
            "channel": channel,
            "target": target,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "due_at": message.created_at,
        }
        for channel, target in targets
    ]

    def write(connection: Connection) -> None:
        connection.execute(_INSERT, row)
        if pending:
            connection.execute(_INSERT_DELIVERIES, pending)

    return write


def save_reply(message: Message) -> Write:
    """Writes the reply that a message got."""
    values_ = {"m": message.id, "reply": message.reply, "replied_at": message.replied_at}

    def write(connection: Connection) -> None:
        connection.execute(_REPLIED, values_)

    return write


def save_attempt(delivery: Delivery) -> Write:
    """Writes how an attempt to deliver a message ended."""
    row = {
        "d": delivery.id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at,
        "error": delivery.error,
        "delivered_at": delivery.delivered_at,
    }

    def write(connection: Connection) -> None:
        connection.execute(_ATTEMPT, row)

    return write


def list_messages(connection: Connection, session_id: str) -> Sequence[Message]:
    """All messages of a session in their order."""
    query = select(messages).where(messages.c.session_id == session_id)
    return [
        _message(dict(row))
        for row in connection.execute(query.order_by(messages.c.sequence)).mappings()
    ]


def pending(connection: Connection, session_id: str, after: int = 0) -> Sequence[Delivery]:
    """The deliveries of a session that are still to be made, in the order of their messages.

    Args:
        after: only those with a larger id.
    """
    return _deliveries(
        connection,
        session_id,
        deliveries.c.state == DeliveryState.PENDING,
        deliveries.c.id > after,
    )


def list_deliveries(connection: Connection, session_id: str) -> Sequence[Delivery]:
    """All deliveries of a session, in the order of their messages."""
    return _deliveries(connection, session_id)


def count_pending(connection: Connection, session_id: str) -> int:
    """How many deliveries of a session are still to be made."""
    query = select(func.count()).select_from(deliveries)
    return connection.execute(
        query.where(
            deliveries.c.session_id == session_id, deliveries.c.state == DeliveryState.PENDING
        )
    ).scalar_one()


def give_up(connection: Connection, session_id: str, why: str, at: datetime) -> None:
    """Ends all pending deliveries of a session."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.session_id == session_id, deliveries.c.state == DeliveryState.PENDING)
        .values(state=DeliveryState.GIVEN_UP, error=why, due_at=at)
    )


def _deliveries(connection: Connection, session_id: str, *conditions: Any) -> Sequence[Delivery]:
    query = (
        select(
            messages,
            deliveries.c.id.label("d_id"),
            deliveries.c.channel,
            deliveries.c.target,
            deliveries.c.state.label("d_state"),
            deliveries.c.attempts,
            deliveries.c.due_at,
            deliveries.c.error,
            deliveries.c.delivered_at,
        )
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .where(deliveries.c.session_id == session_id, *conditions)
        .order_by(messages.c.sequence, deliveries.c.id)
    )
    found = []
    for mapping in connection.execute(query).mappings():
        row = dict(mapping)
        found.append(
            Delivery(
                id=row.pop("d_id"),
                channel=row.pop("channel"),
                target=row.pop("target"),
                state=DeliveryState(row.pop("d_state")),
                attempts=row.pop("attempts"),
                due_at=row.pop("due_at"),
                error=row.pop("error"),
                delivered_at=row.pop("delivered_at"),
                message=_message(row),
            )
        )
    return found


def _message(row: dict[str, Any]) -> Message:
    del row["session_id"]
    row["event_type"] = EventType(row["event_type"])
    row["instance_ids"] = tuple(row["instance_ids"])
    return Message(**row)
