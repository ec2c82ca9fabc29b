"""What a session has, page by page, so that whoever shows a large one holds little of it.

The order is that of the whole lists (`fenix.store.progress`, `fenix.store.messages`), and the last
record of a page is where the next one begins. Each page is a short read of its own: what is written
meanwhile may be seen in a later page and not in an earlier one.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, and_, func, or_, select

from fenix.domain import (
    ActionRecord,
    ActionState,
    Delivery,
    DeliveryState,
    HostRecord,
    HostState,
    InstanceRecord,
    Message,
    MoveRecord,
    MoveState,
    ProjectRecord,
)
from fenix.store import messages as outbox
from fenix.store import progress, tables

ActionRun = tuple[ActionRecord, str]
"""A run and its executor."""


def hosts(
    connection: Connection,
    session_id: str,
    after: HostRecord | None,
    limit: int,
    state: HostState | None = None,
) -> Sequence[HostRecord]:
    """The next hosts of a session, by name.

    Args:
        after: the last one of the page before; None: the first page.
        limit: how many at most; fewer are the last ones.
        state: only those in this state.
    """
    rows = _rows(connection, tables.hosts, session_id, ("name",), after, limit, state)
    return [progress.host(row) for row in rows]


def instances(
    connection: Connection, session_id: str, after: InstanceRecord | None, limit: int
) -> Sequence[InstanceRecord]:
    """The next instances that a session has dealt with, by id; see `hosts`."""
    rows = _rows(connection, tables.instances, session_id, ("id",), after, limit)
    return [progress.instance(row) for row in rows]


def projects(
    connection: Connection, session_id: str, after: ProjectRecord | None, limit: int
) -> Sequence[ProjectRecord]:
    """The next projects that a session talks with, by id; see `hosts`."""
    rows = _rows(connection, tables.projects, session_id, ("id",), after, limit)
    return [ProjectRecord(**row) for row in rows]


def moves(
    connection: Connection,
    session_id: str,
    after: MoveRecord | None,
    limit: int,
    state: MoveState | None = None,
) -> Sequence[MoveRecord]:
    """The next moves of a session, by start and key; see `hosts`."""
    rows = _rows(connection, tables.moves, session_id, ("started_at", "key"), after, limit, state)
    return [progress.move(row) for row in rows]


def actions(
    connection: Connection,
    session_id: str,
    after: ActionRun | None,
    limit: int,
    state: ActionState | None = None,
    log_end: int = 0,
) -> Sequence[ActionRun]:
    """The next runs of actions of a session, by start and key; see `hosts`.

    Args:
        log_end: characters of the logs that are read, from their ends.
    """
    begin = after[0] if after else None
    order = ("started_at", "key")
    log = _end(connection, tables.action_runs.c.log, log_end)
    rows = _rows(connection, tables.action_runs, session_id, order, begin, limit, state, log=log)
    return [progress.action(row) for row in rows]


def messages(
    connection: Connection,
    session_id: str,
    after: tuple[Message, Sequence[Delivery]] | None,
    limit: int,
) -> Sequence[tuple[Message, Sequence[Delivery]]]:
    """The next messages of a session with their deliveries, in their order; see `hosts`."""
    begin = after[0] if after else None
    rows = _rows(connection, tables.messages, session_id, ("sequence",), begin, limit)
    found = {row["id"]: outbox.message(row) for row in rows}
    of: dict[str, list[Delivery]] = defaultdict(list)
    sent = tables.deliveries
    query = select(sent).where(sent.c.message_id.in_(list(found))).order_by(sent.c.id)
    for row in connection.execute(query).mappings():
        one = outbox.delivery(dict(row), found)
        of[one.message.id].append(one)
    return [(message, of[message.id]) for message in found.values()]


def given_up(
    connection: Connection, session_id: str, after: Delivery | None, limit: int
) -> Sequence[Delivery]:
    """The next deliveries that were given up, in the order of their messages; see `hosts`."""
    conditions = [tables.deliveries.c.state == DeliveryState.GIVEN_UP]
    if after is not None:
        columns = (tables.messages.c.sequence, tables.deliveries.c.id)
        conditions.append(_behind(columns, (after.message.sequence, after.id)))
    return outbox.deliveries_where(connection, session_id, *conditions, limit=limit)


def _rows(
    connection: Connection,
    table: Table,
    session_id: str,
    order: Sequence[str],
    after: Any,
    limit: int,
    state: str | None = None,
    **instead: ColumnElement[Any],
) -> list[dict[str, Any]]:
    """Rows of a table behind a record.

    Args:
        order: columns; the record has fields of the same names.
        instead: what is read in the place of columns.
    """
    by = [_bytewise(connection, table.c[name]) for name in order]
    columns = [
        instead[column.name].label(column.name) if column.name in instead else column
        for column in table.c
        if column.name != "session_id"
    ]
    query = select(*columns).where(table.c.session_id == session_id)
    if state is not None:
        query = query.where(table.c.state == state)
    if after is not None:
        query = query.where(_behind(by, [getattr(after, name) for name in order]))
    return [dict(row) for row in connection.execute(query.order_by(*by).limit(limit)).mappings()]


def _behind(columns: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """What comes behind a key; not as a comparison of rows, which MariaDB does without an index."""
    pairs = list(zip(columns, values, strict=True))
    return or_(
        *(
            and_(*(one == value for one, value in pairs[:number]), column > last)
            for number, (column, last) in enumerate(pairs)
        )
    )


def _bytewise(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The order of names that Python has; the tables have it too, but for PostgreSQL's."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, String):
        return column.collate("C")
    return column


def _end(connection: Connection, column: ColumnElement[str], length: int) -> ColumnElement[str]:
    """The last characters of a text."""
    if connection.dialect.name == "sqlite":
        return func.substr(column, -length) if length else func.substr(column, 1, 0)
    return func.right(column, length)
