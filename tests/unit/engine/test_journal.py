"""The journal writes once, also when the answer to a commit is lost."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from tests.factories import make_entry, make_session

from fenix.domain import TimelineEntry
from fenix.engine import journal
from fenix.engine.grip import Grip
from fenix.engine.journal import Journal
from fenix.store import Database, DatabaseUnavailable, leases, sessions, timeline
from fenix.store.tables import create_tables

T = TypeVar("T")


class Forgetful(Database):
    """Loses the answers to its first commits, or the commits themselves."""

    def __init__(self, lose: str, times: int) -> None:
        super().__init__("sqlite://")
        self.lose, self.times = lose, 0
        create_tables(self.engine)
        session = make_session()
        self.session_id = session.id
        with self.engine.connect() as connection, connection.begin():
            sessions.create(connection, session)
            (free,) = leases.open_leases(connection)
            lease = leases.take(connection, free, "engine-1")
        assert lease
        self.lease = lease
        self.times = times

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.times and self.lose == "request":
            self.times -= 1
            raise DatabaseUnavailable("gone before the commit")
        result = await super().write(work)
        if self.times:
            self.times -= 1
            raise DatabaseUnavailable("gone after the commit")
        return result


@pytest.mark.parametrize("lose", ["request", "answer"])
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_committed_is_there_once(
    monkeypatch: pytest.MonkeyPatch, lose: str, times: int
) -> None:
    monkeypatch.setattr(journal, "FIRST_PAUSE", 0.0)

    async def run() -> list[TimelineEntry]:
        database = Forgetful(lose, times)
        grip = Grip(database.lease, 60.0, asyncio.get_running_loop().time())
        writer = Journal(database, grip)
        await writer.commit(timeline.add(database.session_id, make_entry("first")))
        await writer.commit(timeline.add(database.session_id, make_entry("second")))
        found = await database.read(lambda c: timeline.list_entries(c, database.session_id))
        return [entry for _, entry in found]

    assert [entry.what for entry in asyncio.run(run())] == ["first", "second"]
