"""The inbox: replies as they come in, until the engine has taken them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from fenix.domain import MoveAction, Reply
from fenix.store.tables import replies
from fenix.store.writing import Row, Write, rows, same

MOST_WAITING = 10
"""Replies of the same kind that can wait: the first one that fits counts, so more are of no use."""
IGNORED = "ignored: nothing waits for it"

_WAITING = (
    select(replies)
    .where(replies.c.session_id.in_(bindparam("sessions", expanding=True)))
    .where(replies.c.outcome.is_(None))
    .order_by(replies.c.id)
)
_INSERT = insert(replies)
_OUTCOME = same(
    update(replies).where(replies.c.id == bindparam("r")).values(outcome=bindparam("outcome"))
)


def _like(reply: Reply) -> Sequence[ColumnElement[bool]]:
    """Of the same project, for the same state, about the same instance."""
    return (
        replies.c.session_id == reply.session_id,
        replies.c.project_id == reply.project_id,
        replies.c.state == reply.state,
        replies.c.instance_id == reply.instance_id,
    )


def add(connection: Connection, reply: Reply, at: datetime) -> None:
    """Puts a reply into the inbox."""
    row = {
        "session_id": reply.session_id,
        "project_id": reply.project_id,
        "instance_id": reply.instance_id,
        "state": reply.state,
        "instance_actions": dict(reply.instance_actions),
        "received_at": at,
    }
    connection.execute(_INSERT, row)


def waiting(connection: Connection, session_ids: Sequence[str]) -> Sequence[Reply]:
    """The replies to these sessions that nobody has taken yet, oldest first."""
    return [
        Reply(
            id=row.id,
            session_id=row.session_id,
            project_id=row.project_id,
            instance_id=row.instance_id,
            state=row.state,
            instance_actions={
                instance: MoveAction(action) for instance, action in row.instance_actions.items()
            },
        )
        for row in connection.execute(_WAITING, {"sessions": list(session_ids)})
    ]


def taken(reply_id: int, outcome: str) -> Write:
    """Notes what became of a reply that counts."""
    return rows(Row(_OUTCOME, {"r": reply_id, "outcome": outcome[:190]}))


def ignored(reply: Reply) -> Write:
    """Notes that nothing waited for a reply; of those of its kind only the last one is kept."""

    def write(connection: Connection) -> None:
        # It stays itself: an id must not come again while an engine remembers it.
        before = replies.c.outcome == IGNORED, replies.c.id < reply.id
        connection.execute(delete(replies).where(*_like(reply), *before))
        connection.execute(update(replies).where(replies.c.id == reply.id).values(outcome=IGNORED))

    return write
