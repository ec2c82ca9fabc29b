"""What several tasks write at the same time is written once, whatever happens to one of them."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from tests.factories import make_entry, make_session

from fenix.engine import journal
from fenix.engine.grip import Grip
from fenix.engine.journal import Journal
from fenix.store import Database, DatabaseUnavailable, LeaseLost, Write, leases, sessions, timeline
from fenix.store.tables import create_tables

T = TypeVar("T")


class Slow(Database):
    """Away for some tries; or, like a server, at work in a thread until it is let go.

    Attributes:
        away: how many tries fail from now on.
        server: whether a write takes its time, and can't be cut off.
    """

    def __init__(self, server: bool = False) -> None:
        super().__init__("sqlite://")
        create_tables(self.engine)
        session = make_session()
        self.session_id = session.id
        with self.engine.connect() as connection, connection.begin():
            sessions.create(connection, session)
            (free,) = leases.open_leases(connection)
            lease = leases.take(connection, free, "engine-1")
        assert lease
        self.lease = lease
        self.away = 0
        self.transactions = 0
        self.embedded = not server
        self.at_work = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.idle = threading.Event()
        self.idle.set()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`."""
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("not now")
        if self.embedded:
            return await super().write(work)
        return await asyncio.get_running_loop().run_in_executor(None, self._blocking, work)

    def _write(self, work: Callable[[Connection], T]) -> T:
        self.transactions += 1
        return super()._write(work)

    def _blocking(self, work: Callable[[Connection], T]) -> T:
        self.idle.clear()
        self.at_work.set()
        try:
            assert self.go.wait(10)
            return self._write(work)
        finally:
            self.idle.set()

    async def until(self, event: threading.Event) -> None:
        """Waits for what a thread does."""
        assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 10)

    def entry(self, what: str) -> Write:
        """Something to write."""
        return timeline.add(self.session_id, make_entry(what))

    def written(self) -> list[str]:
        """All that was written."""
        with self.connect() as connection:
            return [one.what for _, one in timeline.list_entries(connection, self.session_id)]


def journal_over(database: Slow) -> Journal:
    return Journal(database, Grip(database.lease, 60.0, asyncio.get_running_loop().time()))


async def under_way(database: Slow) -> None:
    """Until the first try of a write has failed, with `away` set to 1."""
    while database.away:  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(journal, "LONGEST_PAUSE", 0.001)


@pytest.mark.parametrize("server", [False, True])
def test_what_waits_for_the_same_transaction_is_written_once(server: bool) -> None:
    async def run() -> None:
        database = Slow(server)
        writer = journal_over(database)
        database.away = 3
        written = database.transactions
        await asyncio.gather(*(writer.commit(database.entry(f"entry-{n}")) for n in range(5)))
        assert database.written() == [f"entry-{n}" for n in range(5)]
        assert database.transactions == written + 1
        database.close()

    asyncio.run(run())


@pytest.mark.parametrize("server", [False, True])
def test_all_who_wait_for_a_transaction_that_fails_are_told(server: bool) -> None:
    def wrong(connection: Connection) -> None:
        raise ValueError("this can't be written")

    async def run() -> None:
        database = Slow(server)
        writer = journal_over(database)
        database.away = 1
        alone = asyncio.ensure_future(writer.commit(database.entry("alone")))
        await under_way(database)
        results = await asyncio.gather(
            alone,
            writer.commit(database.entry("together")),
            writer.commit(wrong),
            return_exceptions=True,
        )
        assert results[0] is None
        assert [type(result) for result in results[1:]] == [ValueError, ValueError]
        await writer.commit(database.entry("later"))
        assert database.written() == ["alone", "later"]
        database.close()

    asyncio.run(run())


def test_a_write_that_is_under_way_ends_although_its_task_is_cancelled() -> None:
    """The others who wait for the same transaction get its outcome, not the cancellation."""

    async def run() -> None:
        database = Slow(server=True)
        writer = journal_over(database)
        database.go.clear()
        names = ("first", "second", "third")
        tasks = [asyncio.ensure_future(writer.commit(database.entry("first")))]
        await database.until(database.at_work)
        tasks += [asyncio.ensure_future(writer.commit(database.entry(n))) for n in names[1:]]
        database.go.set()
        await tasks[0]
        # The second carries the third one's entry along.
        tasks[1].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[0] is results[2] is None
        assert isinstance(results[1], asyncio.CancelledError)
        await writer.commit(database.entry("later"))
        assert database.written() == [*names, "later"]
        database.close()

    asyncio.run(run())


@pytest.mark.parametrize("server", [False, True])
def test_after_a_write_that_was_cut_off_nothing_more_is_written(
    monkeypatch: pytest.MonkeyPatch, server: bool
) -> None:
    """Memory and store may differ then: the session has to be loaded anew from the store."""
    monkeypatch.setattr(journal, "LAST_WORDS", 0.01)

    async def run() -> None:
        database = Slow(server)
        grip = Grip(database.lease, 60.0, asyncio.get_running_loop().time())
        writer = Journal(database, grip)
        database.go.clear()
        database.away = 0 if server else 1000
        first = asyncio.ensure_future(writer.commit(database.entry("first")))
        await (database.until(database.at_work) if server else asyncio.sleep(0))
        second = asyncio.ensure_future(writer.commit(database.entry("second")))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        database.away = 0
        database.go.set()
        with pytest.raises(LeaseLost):
            await writer.commit(database.entry("later"))
        with pytest.raises(LeaseLost):
            await grip.assure()
        with pytest.raises(LeaseLost):
            await second
        await database.until(database.idle)
        database.close()

    asyncio.run(run())


def test_what_was_cancelled_before_it_was_written_goes_along_with_the_next() -> None:
    """Memory has it already."""

    async def run() -> None:
        database = Slow()
        writer = journal_over(database)
        first = asyncio.ensure_future(writer.commit(database.entry("first")))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert database.written() == []
        await writer.commit(database.entry("second"))
        assert database.written() == ["first", "second"]
        database.close()

    asyncio.run(run())
