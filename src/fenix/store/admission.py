"""What has to be looked up, or held still, before something new is let in."""

from sqlalchemy import Connection as Connection  # for those who only hand it on
from sqlalchemy import Select, String, column, select, table

from fenix.store.tables import instances

# The one row that every database has; Alembic keeps it.
_ANCHOR: Select[str] = (
    select(column("version_num", String)).select_from(table("alembic_version")).with_for_update()
)


def one_at_a_time(connection: Connection) -> None:
    """Makes transactions that call this run one after the other, until each has ended.

    Without it two processes could each find a host free that the other is just about to take.
    """
    if connection.dialect.name != "sqlite":  # there a writer is alone anyway
        connection.execute(_ANCHOR).all()


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
