"""Removes for good what is kept of deleted sessions, when an operator says so."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from fenix.domain import Ending
from fenix.store.tables import metadata, sessions

PARTS = [table for table in metadata.sorted_tables if "session_id" in table.c]


def deleted_before(connection: Connection, moment: datetime) -> list[str]:
    """The sessions that were deleted before a moment, the oldest first."""
    query = select(sessions.c.id).where(_deleted_before(moment)).order_by(sessions.c.updated_at)
    return list(connection.scalars(query))


def purge(connection: Connection, session_id: str, moment: datetime) -> bool:
    """Removes all rows of a session that was deleted before a moment; whether it was there."""
    gone = connection.execute(
        delete(sessions).where(sessions.c.id == session_id, _deleted_before(moment))
    )
    if not gone.rowcount:
        return False
    for table in PARTS:
        connection.execute(delete(table).where(table.c.session_id == session_id))
    return True


def _deleted_before(moment: datetime) -> ColumnElement[bool]:
    deleted = and_(~sessions.c.open, sessions.c.ending == Ending.DELETED)
    return and_(deleted, sessions.c.updated_at < moment)
