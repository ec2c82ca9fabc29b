"""What is kept of deleted sessions goes when an operator says so, and nothing else does."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Connection, DateTime, Integer, func, insert, select

from fenix.domain import Ending
from fenix.store import Database, purge, sessions
from fenix.store.tables import hosts, leases, messages, moves, timeline
from tests.factories import at, make_session
from tests.store.running import read, write

NOW = at(0)


def _filling(column: Column[Any]) -> Any:
    for kind, value in {Integer: 1, Boolean: False, DateTime: NOW, JSON: []}.items():
        if isinstance(column.type, kind):
            return value
    return "x"


def fill(connection: Connection, session_id: str) -> None:
    """Writes a row of a session into each table that has such rows."""
    for table in purge.PARTS:
        if table is leases:
            continue  # Its lease came with the session.
        row = {column.name: _filling(column) for column in table.c if not column.nullable}
        if isinstance(table.c.get("id", table.c.session_id).type, Integer):
            del row["id"]
        elif table.primary_key.columns.keys() == ["id"]:
            row["id"] = f"row-of-{session_id[-8:]}"
        connection.execute(insert(table).values(row | {"session_id": session_id}))


def count(connection: Connection) -> dict[str, int]:
    """How many rows each table has, of those with rows of sessions."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in [sessions.sessions, *purge.PARTS]
    }


def put(database: Database, **fields: Any) -> str:
    session = make_session(**fields)

    def work(connection: Connection) -> None:
        sessions.create(connection, session)
        fill(connection, session.id)

    write(database, work)
    return session.id


def purged(database: Database, moment: datetime) -> list[str]:
    found = read(database, lambda c: purge.deleted_before(c, moment))
    return [one for one in found if write(database, lambda c, one=one: purge.purge(c, one, moment))]


def test_all_tables_are_thought_of() -> None:
    assert {hosts, leases, messages, moves, timeline} <= set(purge.PARTS)


def test_all_rows_of_a_deleted_session_go_and_no_others(database: Database) -> None:
    gone = put(database, ending=Ending.DELETED, open=False, updated_at=at(-10))
    put(database)
    assert set(read(database, count).values()) == {2}
    assert purged(database, NOW) == [gone]
    assert set(read(database, count).values()) == {1}
    assert purged(database, NOW) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"ending": Ending.DELETED, "open": False, "updated_at": at(10)},
        {"ending": Ending.DELETED, "open": True, "updated_at": at(-10)},
        {"ending": None, "open": False, "updated_at": at(-10)},
        {"ending": Ending.FAILED, "open": False, "updated_at": at(-10)},
    ],
    ids=["not yet", "still at work", "done", "failed"],
)
def test_what_stays(database: Database, fields: dict[str, Any]) -> None:
    session_id = put(database, **fields)
    before = read(database, count)
    assert purged(database, NOW) == []
    assert not write(database, lambda c: purge.purge(c, session_id, NOW))
    assert read(database, count) == before
