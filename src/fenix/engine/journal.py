"""All writes of one session: fenced, in order, and put together where they come at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection

from fenix.engine.grip import Grip
from fenix.store import Database, DatabaseUnavailable, LeaseLost, Write, leases

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two tries while the database is away."""

LAST_WORDS = 5.0
"""Seconds that a stopping engine waits for a transaction that is under way."""


class _Batch:
    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.done = False
        self.error: BaseException | None = None


class Journal:
    """Commits the writes of the session whose lease is held by `grip`."""

    def __init__(self, database: Database, grip: Grip) -> None:
        self._database = database
        self._grip = grip
        self._lock = asyncio.Lock()
        self._open: _Batch | None = None
        self._committed = 0

    async def commit(self, *writes: Write) -> None:
        """Returns when the writes are durable; they are in one transaction.

        While the database is away it waits. What other tasks commit meanwhile goes along.

        Raises:
            LeaseLost: nothing was written.
        """
        batch = self._open = self._open or _Batch()
        batch.writes.extend(writes)
        async with self._lock:
            if not batch.done:
                self._open = None
                # Inline there is nothing to wait for, and so nothing that could be cut off.
                await (self._write(batch) if self._database.embedded else self._flush(batch))
        if batch.error is not None:
            raise batch.error

    async def _flush(self, batch: _Batch) -> None:
        flushing = asyncio.ensure_future(self._write(batch))
        try:
            await asyncio.shield(flushing)
        except asyncio.CancelledError:
            # The transaction goes on in its thread, and others wait for the same batch.
            await asyncio.wait([flushing], timeout=LAST_WORDS)
            flushing.cancel()
            batch.error = LeaseLost("the engine stopped before the write was answered")
            raise
        except Exception as error:
            batch.error = error
        finally:
            batch.done = True

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Reads, waiting while the database is away."""
        return await self._patiently(lambda: self._database.read(work))

    async def _write(self, batch: _Batch) -> None:
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            if tries > 1 and leases.fenced_writes(connection, self._grip.lease) > self._committed:
                return  # It was committed, and only the answer was lost.
            leases.fence(connection, self._grip.lease)
            for write in batch.writes:
                write(connection)

        await self._patiently(lambda: self._database.write(work))
        self._committed += 1

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        pause = FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except DatabaseUnavailable as error:
                log.warning("the database is away, trying again in %s s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
