"""Lets an administrator have messages sent again that nobody took in time."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from fenix.domain import Conflict, Delivery, DeliveryState, InvalidField, NotFound, TimelineEntry
from fenix.messaging import Channel
from fenix.store import Database, messages, sessions, subscriptions, timeline


async def send_again(
    database: Database,
    channels: Sequence[Channel],
    session_id: str,
    chosen: Collection[int] | None,
    now: datetime,
    *,
    by: str = "api",
) -> int:
    """Has messages of a session sent again that were given up; an engine in the same process should
    be woken afterwards.

    Each goes to the receiver that did not take it, or, where that subscription is gone, to those
    that its project has now. It keeps its id, so that who did get it recognises it.

    Args:
        channels: by which messages leave here.
        chosen: ids of deliveries; None: all that were given up.
        now: naive UTC.
        by: who asks, for the timeline.

    Returns:
        How many are sent again. One that has nobody to go to stays given up.

    Raises:
        NotFound: there is no such session.
        InvalidField: a chosen delivery is none of those that were given up.
        Conflict: the session is being deleted, or nobody is there to get a chosen one.
        DatabaseUnavailable: see `Database.write`.
    """

    def write(connection: Connection) -> int:
        session = sessions.get(connection, session_id)
        if session is None:
            raise NotFound("session", session_id)
        if session.delete_requested:
            raise Conflict(f"session {session_id} is being deleted")
        count = 0
        for delivery in _chosen(messages.undelivered(connection, session_id), chosen):
            if targets := _targets(connection, delivery, channels):
                count += messages.send_again(connection, delivery, session_id, targets, now)
            elif chosen is not None:
                raise Conflict(
                    f"delivery {delivery.id}: its subscription is gone, and project "
                    f"{delivery.message.project_id} has no other"
                )
        if count:
            entry = TimelineEntry(now, by, "messages.sent_again", f"{count} that nobody took")
            timeline.add(session_id, entry)(connection)
            sessions.reopen(connection, session_id)
        return count

    return await database.write(write)


def _chosen(undelivered: Sequence[Delivery], chosen: Collection[int] | None) -> Sequence[Delivery]:
    given_up = [one for one in undelivered if one.state is DeliveryState.GIVEN_UP]
    if chosen is None:
        return given_up
    for number, ident in enumerate(chosen):
        if all(one.id != ident for one in given_up):
            raise InvalidField(
                f"deliveries.{number}", ident, "the id of a delivery that was given up"
            )
    return [one for one in given_up if one.id in chosen]


def _targets(
    connection: Connection, delivery: Delivery, channels: Sequence[Channel]
) -> Sequence[str]:
    if not delivery.target or subscriptions.get(connection, delivery.target):
        return (delivery.target,)
    message = delivery.message
    subscribed = subscriptions.list_all(connection, message.project_id)
    return [
        target
        for channel in channels
        if channel.name == delivery.channel
        for target in channel.targets(message.project_id, message.event_type, subscribed)
    ]
