"""All writes of one session: fenced, in order, and put together where they come at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection

from fenix.engine.grip import Grip
from fenix.store import Database, DatabaseUnavailable, LeaseLost, Write, leases, write_all

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two tries while the database is away."""

LAST_WORDS = 5.0
"""Seconds that a stopping engine waits for a transaction that is under way."""


class _Batch:
    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.done = False
        self.written = False
        self.error: BaseException | None = None


class Journal:
    """Commits the writes of the session whose lease is held by `grip`.

    Attributes:
        back_at: the event loop's time when the database came back; None: it has not been away.
    """

    def __init__(self, database: Database, grip: Grip) -> None:
        self.back_at: float | None = None
        self._database = database
        self._grip = grip
        self._flushing: asyncio.Event | None = None
        self._open: _Batch | None = None
        self._committed = 0
        self._unknown: LeaseLost | None = None

    async def commit(self, *writes: Write) -> None:
        """Returns when the writes are durable; they are in one transaction.

        While the database is away it waits. What other tasks commit meanwhile goes along.

        Raises:
            LeaseLost: nothing was written, or nobody knows whether it was.
        """
        batch = self._open = self._open or _Batch()
        batch.writes.extend(writes)
        while not batch.done:
            if self._unknown is not None:
                raise self._unknown
            if self._flushing is not None:
                await self._flushing.wait()
            else:
                await self._flush_open()
        if batch.error is not None:
            raise batch.error

    async def _flush_open(self) -> None:
        """Writes the open batch, while all others wait."""
        flushing = self._flushing = asyncio.Event()
        try:
            # What others commit at this same moment goes along.
            await asyncio.sleep(0)
            if self._open is not None:
                batch, self._open = self._open, None
                await self._flush(batch)
        finally:
            self._flushing = None
            flushing.set()

    async def _flush(self, batch: _Batch) -> None:
        try:
            if self._database.embedded:
                # Inline there is nothing to wait for, and so nothing that could be cut off.
                await self._write(batch)
            else:
                await self._outlive(self._write(batch))
        except asyncio.CancelledError:
            if not batch.written:
                # Memory and store may differ from now on: only a new start from the store helps.
                self._unknown = batch.error = LeaseLost("a write was cut off")
                self._grip.lose()
            raise
        except Exception as error:
            batch.error = error
        finally:
            batch.done = True

    @staticmethod
    async def _outlive(work: Coroutine[Any, Any, None]) -> None:
        """Does some work that goes on, in its thread, when this task is cancelled."""
        working = asyncio.ensure_future(work)
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working], timeout=LAST_WORDS)
            working.add_done_callback(lambda done: done.cancelled() or done.exception())
            working.cancel()
            raise

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
            write_all(connection, batch.writes)

        await self._patiently(lambda: self._database.write(work))
        self._committed += 1
        batch.written = True

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        pause = FIRST_PAUSE
        while True:
            try:
                found = await attempt()
                break
            except DatabaseUnavailable as error:
                log.warning("the database is away, trying again in %s s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        if pause > FIRST_PAUSE:
            self.database_returned()
        return found

    def database_returned(self) -> None:
        """The database was away, for others or for this session, and answers again."""
        self.back_at = asyncio.get_running_loop().time()
