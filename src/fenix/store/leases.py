"""Who works on a session: leases with an owner and an epoch, and the fence for its writes.

A lease does not expire by the clock, which may differ between machines: whoever wants to take it
over watches its `beat`, and takes it when that has not changed for the lease's time on the
watcher's own clock. Each take-over raises the epoch; writes under an older one fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from fenix.store.tables import engines, leases, sessions


class LeaseLost(Exception):
    """Another engine has taken over the session."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A session's lease as it stands in the database.

    Attributes:
        owner: the engine's id; None: nobody's.
        beat: changes whenever the owner renews it.
    """

    session_id: str
    owner: str | None
    epoch: int
    beat: int


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine as it stands in the database."""

    id: str
    hostname: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    beat: int = 0


_FENCE = (
    update(leases)
    .where(leases.c.session_id == bindparam("s"), leases.c.owner == bindparam("o"))
    .where(leases.c.epoch == bindparam("e"))
    .values(writes=leases.c.writes + 1)
)


def open_leases(connection: Connection) -> Sequence[Lease]:
    """The leases of all sessions for which an engine has something to do, oldest session first."""
    query = select(leases.c.session_id, leases.c.owner, leases.c.epoch, leases.c.beat)
    query = query.join(sessions, sessions.c.id == leases.c.session_id).where(sessions.c.open)
    query = query.order_by(sessions.c.created_at, sessions.c.id)
    return [Lease(*row) for row in connection.execute(query)]


def all_leases(connection: Connection) -> Sequence[Lease]:
    """All leases that somebody holds."""
    query = select(leases.c.session_id, leases.c.owner, leases.c.epoch, leases.c.beat)
    return [Lease(*row) for row in connection.execute(query.where(leases.c.owner.is_not(None)))]


def take(connection: Connection, lease: Lease, owner: str) -> Lease | None:
    """Takes a lease over, if it is still as it was seen.

    Returns:
        The new lease, or None when somebody was faster.
    """
    taken = connection.execute(
        update(leases)
        .where(leases.c.session_id == lease.session_id, leases.c.epoch == lease.epoch)
        .where(leases.c.beat == lease.beat)
        .where(leases.c.owner.is_(None) if lease.owner is None else leases.c.owner == lease.owner)
        .values(owner=owner, epoch=lease.epoch + 1, beat=lease.beat + 1, writes=0)
    )
    if taken.rowcount != 1:
        return None
    return Lease(lease.session_id, owner, lease.epoch + 1, lease.beat + 1)


def renew(connection: Connection, owner: str) -> frozenset[tuple[str, int]]:
    """Renews all leases of an owner.

    Returns:
        Session and epoch of each lease that it holds.
    """
    connection.execute(update(leases).where(leases.c.owner == owner).values(beat=leases.c.beat + 1))
    query = select(leases.c.session_id, leases.c.epoch).where(leases.c.owner == owner)
    return frozenset((row.session_id, row.epoch) for row in connection.execute(query))


def release(connection: Connection, lease: Lease) -> None:
    """Gives a lease back, so that another engine need not wait."""
    connection.execute(
        update(leases)
        .where(leases.c.session_id == lease.session_id, leases.c.owner == lease.owner)
        .where(leases.c.epoch == lease.epoch)
        .values(owner=None)
    )


def fence(connection: Connection, lease: Lease) -> None:
    """Makes the transaction fail if another engine has taken over.

    It also locks the lease's row, so that no take-over can happen until the commit.

    Raises:
        LeaseLost: the lease is not ours any more.
    """
    found = connection.execute(_FENCE, {"s": lease.session_id, "o": lease.owner, "e": lease.epoch})
    if found.rowcount != 1:
        raise LeaseLost(f"session {lease.session_id}: the lease of epoch {lease.epoch} is lost")


def fenced_writes(connection: Connection, lease: Lease) -> int:
    """How many fenced transactions were committed under a lease, since it was taken."""
    query = select(leases.c.writes).where(
        leases.c.session_id == lease.session_id,
        leases.c.owner == lease.owner,
        leases.c.epoch == lease.epoch,
    )
    return connection.execute(query).scalar() or 0


def save_engine(connection: Connection, engine: EngineRow) -> None:
    """Writes or refreshes the entry of an engine."""
    seen = connection.execute(
        update(engines)
        .where(engines.c.id == engine.id)
        .values(seen_at=engine.seen_at, beat=engines.c.beat + 1)
    )
    if seen.rowcount == 0:
        connection.execute(
            insert(engines).values(
                id=engine.id,
                hostname=engine.hostname,
                pid=engine.pid,
                version=engine.version,
                started_at=engine.started_at,
                seen_at=engine.seen_at,
                beat=engine.beat,
            )
        )


def leave(connection: Connection, engine_id: str) -> None:
    """An engine stops in order: its leases are given back and it is forgotten."""
    connection.execute(update(leases).where(leases.c.owner == engine_id).values(owner=None))
    connection.execute(delete(engines).where(engines.c.id == engine_id))


def list_engines(connection: Connection) -> Sequence[EngineRow]:
    """All engines that are known, by id."""
    found = [EngineRow(*row) for row in connection.execute(select(engines))]
    return sorted(found, key=lambda engine: engine.id)
