"""How long things took in earlier sessions, for plans: nothing tells it better."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from fenix.domain import HostState, MoveAction, MoveState
from fenix.store.tables import moves, timeline

LATEST = 2000
"""How many moves, and lines about hosts, are looked at: the latest ones."""


def of_moves(connection: Connection) -> Mapping[MoveAction, Sequence[float]]:
    """How long the moves took that were done, in seconds, by their action."""
    query = select(moves.c.action, moves.c.started_at, moves.c.finished_at)
    query = query.where(moves.c.state == MoveState.DONE, moves.c.finished_at.is_not(None))
    found: defaultdict[MoveAction, list[float]] = defaultdict(list)
    for row in connection.execute(query.order_by(moves.c.started_at.desc()).limit(LATEST)):
        took = (row.finished_at - row.started_at).total_seconds()
        found[MoveAction(row.action)].append(took)
    return found


def of_work(connection: Connection) -> Sequence[float]:
    """How long the work on hosts took that was done, in seconds, their return included."""
    begin, end = (
        f"host.{state.lower()}" for state in (HostState.IN_MAINTENANCE, HostState.MAINTAINED)
    )
    query = select(timeline.c.session_id, timeline.c.host, timeline.c.what, timeline.c.at)
    query = query.where(timeline.c.what.in_((begin, end)))
    lines = connection.execute(query.order_by(timeline.c.id.desc()).limit(LATEST)).all()
    begun: dict[tuple[str, str | None], datetime] = {}
    found = []
    for line in reversed(lines):
        subject = (line.session_id, line.host)
        if line.what == begin:
            begun[subject] = line.at
        elif subject in begun:
            found.append((line.at - begun.pop(subject)).total_seconds())
    return found
