"""What has to be looked up, or held still, before something new is let in."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection as Connection  # for those who only hand it on
from sqlalchemy import String, and_, bindparam, exists, func, select, update

from fenix.domain import Reply
from fenix.store.replies import MOST_WAITING
from fenix.store.sessions import PRESENT
from fenix.store.tables import instances, locks, projects, replies, sessions

ADMISSION = "admission"
_TAKE = update(locks).where(locks.c.name == ADMISSION).values(taken=locks.c.taken + 1)

_SESSION, _PROJECT = bindparam("session", type_=String), bindparam("project", type_=String)
_INSTANCE, _STATE = bindparam("instance", type_=String), bindparam("state", type_=String)
_ADDRESSEE = (
    select(
        sessions.c.open,
        projects.c.instance_ids,
        exists()
        .where(instances.c.session_id == _SESSION, instances.c.id == _INSTANCE)
        .where(instances.c.project_id == _PROJECT),
        select(func.count())
        .select_from(replies)
        .where(replies.c.session_id == _SESSION, replies.c.project_id == _PROJECT)
        .where(replies.c.state == _STATE, replies.c.outcome.is_(None))
        .where(replies.c.instance_id.is_not_distinct_from(_INSTANCE))
        .scalar_subquery(),
    )
    .select_from(sessions)
    .outerjoin(projects, and_(projects.c.session_id == sessions.c.id, projects.c.id == _PROJECT))
    .where(sessions.c.id == _SESSION, PRESENT)
)


@dataclass(frozen=True, slots=True)
class Addressee:
    """What a session knows of whom and what a reply is from and about.

    Attributes:
        open: whether there is something to do for the session.
        instance_ids: of the project's last message; None: the session has no such project.
        instance_known: whether the session has dealt with the reply's instance as the project's.
        full: whether so many replies of the same project, for the same state, about the same
            instance wait that no more are of use.
    """

    open: bool
    instance_ids: Collection[str] | None
    instance_known: bool
    full: bool


def one_at_a_time(connection: Connection) -> None:
    """Makes transactions that call this first run one after the other, until each has ended.

    Without it two processes could each find a host free that the other is just about to take. It
    changes a row: on a Galera cluster a lock would hold on one node only, while of two transactions
    that change a row on two nodes the later one is given up at its commit, and is run again.
    """
    if connection.dialect.name == "sqlite":  # there a writer is alone anyway
        return
    if connection.execute(_TAKE).rowcount != 1:
        raise RuntimeError(f"table {locks.name} has lost its row {ADMISSION}")


def addressee(connection: Connection, reply: Reply) -> Addressee | None:
    """To whom a reply goes, all in one statement; None: no session, or a deleted one."""
    keys = {
        "session": reply.session_id,
        "project": reply.project_id,
        "instance": reply.instance_id,
        "state": reply.state,
    }
    row = connection.execute(_ADDRESSEE, keys).first()
    if row is None:
        return None
    opened, instance_ids, known, waiting = row
    return Addressee(opened, instance_ids, known, waiting >= MOST_WAITING)


def instances_of(connection: Connection, session_id: str, project_id: str) -> frozenset[str]:
    """The ids of all instances of a project that a session has dealt with."""
    query = select(instances.c.id).where(
        instances.c.session_id == session_id, instances.c.project_id == project_id
    )
    return frozenset(connection.scalars(query))
