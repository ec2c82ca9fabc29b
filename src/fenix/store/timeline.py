"""The append-only timeline of a session."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from fenix.domain import TimelineEntry
from fenix.store.rows import dicts, values
from fenix.store.tables import timeline
from fenix.store.writing import Row, Write, rows, same

_INSERT = same(insert(timeline))


def add(session_id: str, entry: TimelineEntry) -> Write:
    """Writes one line."""
    return rows(Row(_INSERT, values(entry) | {"session_id": session_id}))


def list_entries(
    connection: Connection, session_id: str, after: int = 0, limit: int = 1000
) -> Sequence[tuple[int, TimelineEntry]]:
    """Lines of a session with their ids, oldest first.

    Args:
        after: only lines with a larger id.
        limit: how many at most.
    """
    query = select(timeline).where(timeline.c.session_id == session_id, timeline.c.id > after)
    found = []
    for row in dicts(connection.execute(query.order_by(timeline.c.id).limit(limit))):
        del row["session_id"]
        found.append((row.pop("id"), TimelineEntry(**row)))
    return found
