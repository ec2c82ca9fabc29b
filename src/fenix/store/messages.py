"""The outbox: messages, written with the state that they tell of, and their deliveries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from fenix.domain import Delivery, DeliveryState, EventType, Message
from fenix.store.rows import dicts, values
from fenix.store.tables import deliveries, messages, sessions
from fenix.store.writing import Row, Write, rows, same

_INSERT, _INSERT_DELIVERY = same(insert(messages)), same(insert(deliveries))
_REPLIED = same(
    update(messages)
    .where(messages.c.id == bindparam("m"))
    .values(reply=bindparam("reply"), replied_at=bindparam("replied_at"))
)
_ATTEMPT = same(
    update(deliveries)
    .where(deliveries.c.id == bindparam("d"))
    .values({name: bindparam(name) for name in ("state", "attempts", "due_at", "error")})
    .values(delivered_at=bindparam("delivered_at"))
)

_PENDING = select(deliveries).where(
    deliveries.c.session_id == bindparam("s"),
    deliveries.c.state == DeliveryState.PENDING,
    deliveries.c.id > bindparam("after"),
)

_REQUESTED = select(deliveries.c.session_id).where(
    deliveries.c.session_id.in_(bindparam("sessions", expanding=True)),
    deliveries.c.state == DeliveryState.PENDING,
    deliveries.c.attempts == 0,
    deliveries.c.requested_at.is_not(None),
)


def message_rows(
    session_id: str, message: Message, targets: Iterable[tuple[str, str]]
) -> Iterator[Row]:
    """A message, and a delivery for each (channel, target) that gets it."""
    row = values(message) | {
        "session_id": session_id,
        "payload": dict(message.payload),
        "instance_ids": list(message.instance_ids),
    }
    yield Row(_INSERT, row)
    for channel, target in targets:
        delivery = {
            "message_id": message.id,
            "session_id": session_id,
            "channel": channel,
            "target": target,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "due_at": message.created_at,
        }
        yield Row(_INSERT_DELIVERY, delivery)


def add(session_id: str, message: Message, targets: Iterable[tuple[str, str]]) -> Write:
    """Writes a message; see `message_rows`."""
    return rows(*message_rows(session_id, message, targets))


def save_reply(message: Message) -> Write:
    """Writes the reply that a message got."""
    row = {"m": message.id, "reply": message.reply, "replied_at": message.replied_at}
    return rows(Row(_REPLIED, row))


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
    return rows(Row(_ATTEMPT, row))


def list_messages(connection: Connection, session_id: str) -> Sequence[Message]:
    """All messages of a session in their order."""
    query = select(messages).where(messages.c.session_id == session_id)
    return [message(row) for row in dicts(connection.execute(query.order_by(messages.c.sequence)))]


def pending(
    connection: Connection,
    session_id: str,
    after: int = 0,
    known: Mapping[str, Message] | None = None,
) -> Sequence[Delivery]:
    """The deliveries of a session that are still to be made, in the order of their messages.

    Args:
        after: only those with a larger id.
        known: all messages of the session by id, which need not be read then.
    """
    if known is None:
        conditions = deliveries.c.state == DeliveryState.PENDING, deliveries.c.id > after
        return deliveries_where(connection, session_id, *conditions)
    found = []
    for row in dicts(connection.execute(_PENDING, {"s": session_id, "after": after})):
        found.append(delivery(row, known))
    return sorted(found, key=lambda one: (one.message.sequence, one.id))


def list_deliveries(connection: Connection, session_id: str) -> Sequence[Delivery]:
    """All deliveries of a session, in the order of their messages."""
    return deliveries_where(connection, session_id)


def undelivered(
    connection: Connection, session_id: str, after: int = 0, limit: int | None = None
) -> Sequence[Delivery]:
    """The deliveries of a session that nobody has taken, by id.

    Args:
        after: only those with a larger id.
        limit: how many at most; None: all.
    """
    return deliveries_where(
        connection,
        session_id,
        deliveries.c.state.in_((DeliveryState.PENDING, DeliveryState.GIVEN_UP)),
        deliveries.c.id > after,
        order_by=(deliveries.c.id,),
        limit=limit,
    )


def send_again(
    connection: Connection,
    given_up: Delivery,
    session_id: str,
    targets: Iterable[str],
    at: datetime,
) -> bool:
    """Writes new deliveries in the place of one that was given up.

    Args:
        targets: who gets the message now.

    Returns:
        Whether it was still given up: somebody else may have had it sent again at this moment.
    """
    replaced = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == given_up.id, deliveries.c.state == DeliveryState.GIVEN_UP)
        .values(state=DeliveryState.SENT_AGAIN)
    )
    if not replaced.rowcount:
        return False
    rows = [
        {
            "message_id": given_up.message.id,
            "session_id": session_id,
            "channel": given_up.channel,
            "target": target,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "due_at": at,
            "requested_at": at,
        }
        for target in targets
    ]
    connection.execute(insert(deliveries), rows)
    return True


def requested(connection: Connection, session_ids: Sequence[str]) -> frozenset[str]:
    """Which of these sessions have messages that are to be sent again, and were not tried yet."""
    return frozenset(connection.scalars(_REQUESTED, {"sessions": list(session_ids)}))


def count_pending(connection: Connection, session_id: str) -> int:
    """How many deliveries of a session are still to be made."""
    query = select(func.count()).select_from(deliveries)
    return connection.execute(
        query.where(
            deliveries.c.session_id == session_id, deliveries.c.state == DeliveryState.PENDING
        )
    ).scalar_one()


def held_up(connection: Connection) -> Mapping[str, datetime]:
    """The channels that have failed to take a message for all, and since when the oldest waits.

    A receiver of its own that takes nothing is no fault of the channel.
    """
    since = func.min(func.coalesce(deliveries.c.requested_at, messages.c.created_at))
    query = (
        select(deliveries.c.channel, since)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(sessions, sessions.c.id == deliveries.c.session_id)
        .where(sessions.c.open, deliveries.c.state == DeliveryState.PENDING)
        .where(deliveries.c.target == "", deliveries.c.error.is_not(None))
        .group_by(deliveries.c.channel)
    )
    return dict(connection.execute(query).all())


def give_up(connection: Connection, session_id: str, why: str, at: datetime) -> None:
    """Ends all pending deliveries of a session."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.session_id == session_id, deliveries.c.state == DeliveryState.PENDING)
        .values(state=DeliveryState.GIVEN_UP, error=why, due_at=at)
    )


def deliveries_where(
    connection: Connection,
    session_id: str,
    *conditions: Any,
    order_by: Sequence[Any] = (messages.c.sequence, deliveries.c.id),
    limit: int | None = None,
) -> Sequence[Delivery]:
    """Deliveries of a session with their messages, which are read with each.

    Args:
        conditions: on the columns of both tables.
        limit: how many at most; None: all.
    """
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
            deliveries.c.requested_at,
        )
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .where(deliveries.c.session_id == session_id, *conditions)
        .order_by(*order_by)
        .limit(limit)
    )
    found = []
    for row in dicts(connection.execute(query)):
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
                requested_at=row.pop("requested_at"),
                message=message(row),
            )
        )
    return found


def delivery(row: dict[str, Any], known: Mapping[str, Message]) -> Delivery:
    """A delivery from the columns of its row.

    Args:
        known: its message, and maybe others, by id.
    """
    del row["session_id"]
    row["state"] = DeliveryState(row["state"])
    return Delivery(message=known[row.pop("message_id")], **row)


def message(row: dict[str, Any]) -> Message:
    """A message from the columns of its row."""
    row.pop("session_id", None)
    row["event_type"] = EventType(row["event_type"])
    row["instance_ids"] = tuple(row["instance_ids"])
    return Message(**row)
