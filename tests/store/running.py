"""Runs units of work for tests, one or many at the same moment."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import monotonic
from typing import TypeVar

from sqlalchemy import Connection

from fenix.domain import Session
from fenix.store import Database, Lease, Write, leases, sessions

T = TypeVar("T")
SECONDS = 60
"""How long anything in a test may take; it is never waited for when all is well."""


def read(database: Database, work: Callable[[Connection], T]) -> T:
    """The result of a unit of work that only reads."""
    return asyncio.run(database.read(work))


def write(database: Database, work: Callable[[Connection], T]) -> T:
    """The result of a unit of work, committed."""
    return asyncio.run(database.write(work))


def write_all(database: Database, *writes: Write) -> None:
    """Commits several changes in one transaction."""

    def work(connection: Connection) -> None:
        for change in writes:
            change(connection)

    write(database, work)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Waits for a condition."""
    end = monotonic() + SECONDS
    while not condition():
        assert monotonic() < end, f"waited {SECONDS} s until {what}"
        Event().wait(0.02)


def together(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each call returned or raised, all begun at the same moment in threads of their own."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], T]) -> T | Exception:
        barrier.wait(SECONDS)
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works, timeout=SECONDS))


def leased(database: Database, session: Session, owner: str = "engine-1") -> Lease:
    """Creates a session and takes its lease."""

    def work(connection: Connection) -> Lease | None:
        sessions.create(connection, session)
        return leases.take(connection, Lease(session.id, None, 0, 0), owner)

    lease = write(database, work)
    assert lease is not None
    return lease
