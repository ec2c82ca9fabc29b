"""Who works on a session: leases with an owner and an epoch, and the fence for its writes.

A lease does not expire by the clock, which may differ between machines: whoever wants to take it
over watches its `beat`, and takes it when that has not changed for the lease's time on the
watcher's own clock. Each take-over raises the epoch; writes under an older one fail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from fenix.domain import ActionState
from fenix.store.rows import values
from fenix.store.tables import action_runs, engines, leases, sessions
from fenix.store.writing import upsert

MARGIN = 0.9
"""The part of the lease's time in which its owner acts; the rest is for what is under way."""
FORGET = timedelta(days=1)
"""How long an engine that was killed stays listed."""


def shortest(loop_interval: float, retry_timeout: float) -> float:
    """The shortest time, in seconds, for which leases may be given.

    A renewal begins at a third of it. When that fails, another loop and another try have to fit
    into the part in which the owner may act (`MARGIN`). The form is that of patroni's rule for
    ``loop_wait``, ``retry_timeout`` and ``ttl`` (its documentation, "Dynamic Configuration").
    """
    return 2 * (loop_interval + 2 * retry_timeout)


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


@dataclass(frozen=True, slots=True)
class View:
    """All that engines share, at one moment.

    Attributes:
        leases: of all sessions for which an engine has something to do, oldest session first.
        machines: for sessions with actions under way, where their processes are.
    """

    leases: Sequence[Lease]
    engines: Sequence[EngineRow]
    machines: Mapping[str, str]


_ALL = select(leases.c.session_id, leases.c.owner, leases.c.epoch, leases.c.beat)
_OPEN = (
    _ALL.join(sessions, sessions.c.id == leases.c.session_id)
    .where(sessions.c.open)
    .order_by(sessions.c.created_at, sessions.c.id)
)
_FENCE = (
    update(leases)
    .where(leases.c.session_id == bindparam("s"), leases.c.owner == bindparam("o"))
    .where(leases.c.epoch == bindparam("e"))
    .values(writes=leases.c.writes + 1)
)


def open_leases(connection: Connection) -> Sequence[Lease]:
    """The leases of all sessions for which an engine has something to do, oldest session first."""
    return [Lease(*row) for row in connection.execute(_OPEN)]


def look(connection: Connection) -> View:
    """What an engine decides by which sessions to take."""
    running = select(action_runs.c.session_id, action_runs.c.executor)
    running = running.where(action_runs.c.state == ActionState.INTENDED)
    return View(
        leases=open_leases(connection),
        engines=list_engines(connection),
        machines={row.session_id: row.executor for row in connection.execute(running)},
    )


def all_leases(connection: Connection) -> Sequence[Lease]:
    """All leases that somebody holds."""
    return [Lease(*row) for row in connection.execute(_ALL.where(leases.c.owner.is_not(None)))]


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


_SAVE_ENGINE = upsert(engines)


def save_engine(connection: Connection, engine: EngineRow) -> None:
    """Writes or refreshes the entry of an engine; its beat has to differ from the last one."""
    connection.execute(_SAVE_ENGINE(connection.dialect.name), values(engine))
    connection.execute(delete(engines).where(engines.c.seen_at < engine.seen_at - FORGET))


def leave(connection: Connection, engine_id: str) -> None:
    """An engine stops in order: its leases are given back and it is forgotten."""
    connection.execute(update(leases).where(leases.c.owner == engine_id).values(owner=None))
    connection.execute(delete(engines).where(engines.c.id == engine_id))


def list_engines(connection: Connection) -> Sequence[EngineRow]:
    """All engines that are known, by id."""
    found = [EngineRow(*row) for row in connection.execute(select(engines))]
    return sorted(found, key=lambda engine: engine.id)
