"""Numbers about everything that is kept, for monitoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from fenix.domain import DeliveryState, SessionState
from fenix.store.leases import list_engines, open_leases
from fenix.store.sessions import PRESENT
from fenix.store.tables import deliveries, hosts, messages, sessions


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of what.

    Attributes:
        sessions: how many, by state.
        hosts: how many of sessions that have not ended well, by state.
        outbox: deliveries that are still to be made.
        oldest: when the oldest message among these was written.
        given_up: deliveries that nobody has taken, of sessions that are kept.
        engines: when each was last seen, by id.
        unowned: sessions with work to do that no engine has.
    """

    sessions: Mapping[str, int]
    hosts: Mapping[str, int]
    outbox: int
    oldest: datetime | None
    given_up: int
    engines: Mapping[str, datetime]
    unowned: int


def read(connection: Connection) -> Figures:
    """All of it, from one transaction."""
    number = func.count()
    of_hosts = (
        select(hosts.c.state, number)
        .join(sessions, sessions.c.id == hosts.c.session_id)
        .where(PRESENT, sessions.c.state != SessionState.MAINTENANCE_DONE)
    )
    pending = deliveries.c.state == DeliveryState.PENDING
    waiting, oldest = connection.execute(
        select(number, func.min(messages.c.created_at))
        .select_from(deliveries)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(pending)
    ).one()
    lost = deliveries.c.state == DeliveryState.GIVEN_UP
    return Figures(
        sessions=dict(
            connection.execute(
                select(sessions.c.state, number).where(PRESENT).group_by(sessions.c.state)
            ).all()
        ),
        hosts=dict(connection.execute(of_hosts.group_by(hosts.c.state)).all()),
        outbox=waiting,
        oldest=oldest,
        given_up=connection.scalar(
            select(number)
            .select_from(deliveries)
            .join(sessions, sessions.c.id == deliveries.c.session_id)
            .where(lost, PRESENT)
        )
        or 0,
        engines={engine.id: engine.seen_at for engine in list_engines(connection)},
        unowned=sum(lease.owner is None for lease in open_leases(connection)),
    )
