"""Several processes at one database: one wins, the others notice, and nothing is lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Connection

from fenix.domain import TimelineEntry
from fenix.store import Database, EngineRow, Lease, LeaseLost, leases, migrate, sessions, timeline
from tests.factories import make_entry, make_session
from tests.store.running import SECONDS, leased, read, together, write

Connect = Callable[[str], Database]


def entries(connection: Connection, session_id: str) -> list[TimelineEntry]:
    return [entry for _, entry in timeline.list_entries(connection, session_id)]


def fenced(connection: Connection, lease: Lease, what: str) -> None:
    leases.fence(connection, lease)
    timeline.add(lease.session_id, make_entry(what))(connection)


def test_of_those_who_take_over_exactly_one_wins(shared_url: str, connect: Connect) -> None:
    databases = [connect(shared_url) for _ in range(4)]
    lease = leased(databases[0], make_session(), "engine-dead")
    for number in range(10):
        seen = lease

        def take(index: int, seen: Lease = seen, number: int = number) -> Lease | None:
            owner = f"engine-{number}-{index}"
            return asyncio.run(databases[index].write(lambda c: leases.take(c, seen, owner)))

        outcomes = together([lambda i=i: take(i) for i in range(len(databases))])
        won = [outcome for outcome in outcomes if isinstance(outcome, Lease)]
        assert len(won) == 1
        assert outcomes.count(None) == len(databases) - 1
        (lease,) = read(databases[0], leases.open_leases)
        assert lease == won[0]
        assert lease.epoch == seen.epoch + 1


def test_a_take_over_waits_for_a_fenced_write_in_progress(
    shared_url: str, connect: Connect
) -> None:
    """Else the new owner would not see what the old one is about to commit."""
    ours, theirs = connect(shared_url), connect(shared_url)
    lease = leased(ours, make_session())
    fence_holds, seen = Event(), []

    def take_over() -> None:
        def work(connection: Connection) -> list[TimelineEntry]:
            assert leases.take(connection, lease, "engine-2")
            return entries(connection, lease.session_id)

        assert fence_holds.wait(SECONDS)
        seen.append(write(theirs, work))

    other = Thread(target=take_over)
    other.start()

    def slow(connection: Connection) -> None:
        fenced(connection, lease, "slow")
        fence_holds.set()
        other.join(0.3)
        assert other.is_alive(), "the lease was taken over under a fence"

    write(ours, slow)
    other.join(SECONDS)
    assert seen == [[make_entry("slow")]]


def test_nothing_is_written_after_a_take_over(shared_url: str, connect: Connect) -> None:
    databases = [connect(shared_url) for _ in range(3)]
    lease = leased(databases[0], make_session())
    warm, over = Event(), Event()

    def keep_writing(database: Database) -> int:
        written = 0
        while not over.is_set() or written == 0:
            try:
                write(database, lambda c: fenced(c, lease, "work"))
            except LeaseLost:
                return written
            written += 1
            if written == 5:
                warm.set()
        raise AssertionError("the old owner has not noticed the take-over")

    def take_over() -> int:
        def work(connection: Connection) -> int:
            assert leases.take(connection, lease, "engine-2")
            return len(entries(connection, lease.session_id))

        assert warm.wait(SECONDS)
        return write(databases[2], work)

    *written, seen = together(
        [
            lambda: keep_writing(databases[0]),
            lambda: keep_writing(databases[1]),
            take_over,
        ]
    )
    final = read(databases[0], lambda c: entries(c, lease.session_id))
    assert written == [number for number in written if isinstance(number, int)], written
    assert seen == len(final) == sum(number for number in written if isinstance(number, int))


def test_an_engine_that_asks_again_before_it_was_answered_meets_itself(
    shared_url: str, connect: Connect
) -> None:
    databases = [connect(shared_url) for _ in range(4)]
    for number in range(10):
        row = EngineRow(f"engine-{number}", "host", 1, "1", make_entry().at, make_entry().at)

        def save(database: Database, row: EngineRow = row) -> None:
            write(database, lambda c: leases.save_engine(c, row))

        assert together([lambda d=d: save(d) for d in databases]) == [None] * len(databases)
    assert len(read(databases[0], leases.list_engines)) == 10


def test_writers_wait_for_each_other(shared_url: str, connect: Connect) -> None:
    databases = [connect(shared_url) for _ in range(4)]
    lease = leased(databases[0], make_session())

    def work(connection: Connection) -> None:
        leases.fence(connection, lease)
        count = len(entries(connection, lease.session_id))
        timeline.add(lease.session_id, make_entry(f"step.{count}"))(connection)

    def many(database: Database) -> None:
        for _ in range(10):
            write(database, work)

    assert together([lambda d=d: many(d) for d in databases]) == [None] * len(databases)
    found = read(databases[0], lambda c: entries(c, lease.session_id))
    assert [entry.what for entry in found] == [f"step.{number}" for number in range(40)]


def test_a_writer_on_sqlite_may_read_first(tmp_path: Path, connect: Connect) -> None:
    """There a reader that becomes a writer after another one fails at once, without waiting."""
    ours, theirs = (connect(f"sqlite:///{tmp_path}/fenix.db") for _ in range(2))
    migrate.upgrade(ours)
    other = Thread(target=lambda: write(theirs, timeline.add("session-1", make_entry("theirs"))))

    def work(connection: Connection) -> None:
        assert entries(connection, "session-1") == []
        other.start()
        other.join(0.3)
        timeline.add("session-1", make_entry("ours"))(connection)

    write(ours, work)
    other.join(SECONDS)
    assert [entry.what for entry in read(ours, lambda c: entries(c, "session-1"))] == [
        "ours",
        "theirs",
    ]


def test_readers_see_whole_transactions(shared_url: str, connect: Connect) -> None:
    ours, theirs = connect(shared_url), connect(shared_url)
    lease = leased(ours, make_session())

    def work(connection: Connection) -> int:
        fenced(connection, lease, "one")
        with theirs.connect() as other:
            unfinished = len(entries(other, lease.session_id))
        fenced(connection, lease, "two")
        return unfinished

    assert write(ours, work) == 0
    assert len(read(theirs, lambda c: entries(c, lease.session_id))) == 2


def test_a_request_to_delete_meets_the_end_of_a_session(shared_url: str, connect: Connect) -> None:
    """Whichever comes first, the request is not forgotten."""
    engine, api = connect(shared_url), connect(shared_url)
    for _ in range(10):
        ident = leased(engine, make_session()).session_id

        def close(ident: str = ident) -> bool:
            return write(engine, lambda c: sessions.close(c, ident))

        def request(ident: str = ident) -> bool:
            return write(api, lambda c: sessions.request_delete(c, ident))

        assert together([close, request])[1] is True
        session = read(engine, lambda c, ident=ident: sessions.get(c, ident))
        assert session
        assert session.delete_requested
        assert session.open
