"""An engine: takes sessions under lease, runs them, and lets go of what it loses.

Any number of engines share one database. A session whose owner has stopped renewing its lease for
`lease_seconds`, measured on the watcher's own clock, is taken over (see `fenix.store.leases`).
"""

import asyncio
import logging
import os
from dataclasses import dataclass
from uuid import uuid4

from fenix import __version__
from fenix.domain import Reply
from fenix.engine.grip import Grip
from fenix.engine.runner import SessionRunner, Tools
from fenix.store import DatabaseUnavailable, EngineRow, Lease, LeaseLost, leases, replies, sessions

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """A lease that somebody else holds, and since when it has not changed, by the loop's clock."""

    lease: Lease
    since: float


class Engine:
    """Runs sessions until it is cancelled.

    Attributes:
        id: its name in leases; a new one for each start, so that it never meets its own past.
    """

    def __init__(self, tools: Tools, engine_id: str | None = None) -> None:
        self.id = engine_id or f"{tools.settings.machine[:40]}-{uuid4().hex[:12]}"
        self._tools = tools
        self._wake = asyncio.Event()
        self._runners: dict[str, SessionRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, _Seen] = {}

    def wake(self) -> None:
        """Something is new in the database; need not wait for the next look."""
        self._wake.set()

    @property
    def owned(self) -> tuple[str, ...]:
        """The ids of the sessions that it runs now."""
        return tuple(self._runners)

    async def run(self) -> None:
        """Runs until cancelled; then gives its leases back, so that others need not wait."""
        started = self._tools.now()
        row = EngineRow(
            self.id, self._tools.settings.machine, os.getpid(), __version__, started, started
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_leases(row))
                while True:
                    try:
                        await self._look(tasks)
                    except DatabaseUnavailable as error:
                        # What was seen before says nothing about who is alive now.
                        self._seen.clear()
                        log.warning("engine %s: the database is away: %s", self.id, error)
                    await self._pause()
        finally:
            await asyncio.shield(self._leave())

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._tools.settings.loop_interval):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        """One round: claims sessions, takes in replies and what administrators ask for."""
        database = self._tools.database
        for lease in await database.read(leases.open_leases):
            if lease.session_id not in self._runners and self._free(lease):
                await self._claim(lease, tasks)
        if not self._runners:
            return
        mine = list(self._runners)
        for session_id in await database.read(lambda c: sessions.requests(c, mine)):
            if session_id in self._runners:
                self._runners[session_id].administrator_calls()
        for reply in await database.read(lambda c: replies.waiting(c, mine)):
            if runner := self._runners.get(reply.session_id):
                await self._take(runner, reply)

    async def _take(self, runner: SessionRunner, reply: Reply) -> None:
        try:
            await runner.take_reply(reply)
        except LeaseLost:
            runner.grip.lose()
        except Exception:
            log.exception("session %s: reply %d can't be taken", reply.session_id, reply.id)

    def _free(self, lease: Lease) -> bool:
        """Whether a lease may be taken: nobody's, or its owner has been silent for too long."""
        now = asyncio.get_running_loop().time()
        # One that is ours and that nobody here works on: the answer to taking it, or to giving it
        # back, was lost. It would be renewed for ever.
        if lease.owner is None or lease.owner == self.id:
            return True
        seen = self._seen.get(lease.session_id)
        if seen is None or seen.lease != lease:
            self._seen[lease.session_id] = _Seen(lease, now)
            return False
        return now - seen.since >= self._tools.settings.lease_seconds

    async def _claim(self, lease: Lease, tasks: asyncio.TaskGroup) -> None:
        now = asyncio.get_running_loop().time()
        taken = await self._tools.database.write(lambda c: leases.take(c, lease, self.id))
        self._seen.pop(lease.session_id, None)
        if taken is None:
            return
        if lease.owner is not None:
            log.warning(
                "session %s: taken over from engine %s, epoch %d",
                taken.session_id,
                lease.owner,
                taken.epoch,
            )
        runner = SessionRunner(self._tools, Grip(taken, self._tools.settings.lease_seconds, now))
        self._runners[taken.session_id] = runner
        self._tasks[taken.session_id] = tasks.create_task(self._carry(runner))

    async def _carry(self, runner: SessionRunner) -> None:
        lease = runner.grip.lease
        try:
            await runner.run()
        except LeaseLost:
            log.warning("session %s: another engine has taken over", lease.session_id)
        except Exception:
            # Not the workflow's fault, or it would be MAINTENANCE_FAILED: let another try.
            log.exception("session %s: the engine could not go on with it", lease.session_id)
            await asyncio.sleep(self._tools.settings.loop_interval)
        finally:
            del self._runners[lease.session_id], self._tasks[lease.session_id]
        await self._release(lease)

    async def _release(self, lease: Lease) -> None:
        try:
            await self._tools.database.write(lambda c: leases.release(c, lease))
        except DatabaseUnavailable as error:
            log.warning("session %s: its lease runs out by itself: %s", lease.session_id, error)

    async def _keep_leases(self, row: EngineRow) -> None:
        """Renews all leases at a third of their time, so that two renewals may fail."""
        settings, database = self._tools.settings, self._tools.database
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            before = list(self._runners.items())
            row = EngineRow(
                row.id, row.hostname, row.pid, row.version, row.started_at, self._tools.now()
            )
            try:
                await database.write(lambda c, row=row: leases.save_engine(c, row))  # type: ignore[misc]
                held = await database.write(lambda c: leases.renew(c, self.id))
            except DatabaseUnavailable as error:
                log.warning("engine %s: leases could not be renewed: %s", self.id, error)
            else:
                for session_id, runner in before:
                    if (session_id, runner.grip.lease.epoch) in held:
                        runner.grip.renewed(began)
                    else:
                        runner.grip.lose()
                        if task := self._tasks.get(session_id):
                            task.cancel()
            await asyncio.sleep(settings.lease_seconds / 3)

    async def _leave(self) -> None:
        try:
            await self._tools.database.write(lambda c: leases.leave(c, self.id))
        except DatabaseUnavailable as error:
            log.warning("engine %s: its leases run out by themselves: %s", self.id, error)
