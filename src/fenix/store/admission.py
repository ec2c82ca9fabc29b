"""What has to be looked up, or held still, before something new is let in."""

from sqlalchemy import Connection as Connection  # for those who only hand it on
from sqlalchemy import select, update

from fenix.store.tables import instances, locks

ADMISSION = "admission"
_TAKE = update(locks).where(locks.c.name == ADMISSION).values(taken=locks.c.taken + 1)


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


def has_instance(
    connection: Connection, session_id: str, project_id: str, instance_id: str
) -> bool:
    """Whether a session has dealt with an instance of a project."""
    query = select(instances.c.id).where(
        instances.c.session_id == session_id,
        instances.c.id == instance_id,
        instances.c.project_id == project_id,
    )
    return connection.execute(query).first() is not None


def instances_of(connection: Connection, session_id: str, project_id: str) -> frozenset[str]:
    """The ids of all instances of a project that a session has dealt with."""
    query = select(instances.c.id).where(
        instances.c.session_id == session_id, instances.c.project_id == project_id
    )
    return frozenset(connection.scalars(query))
