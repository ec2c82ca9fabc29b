"""An engine: takes sessions under lease, runs them, and lets go of what it loses.

Any number of engines share one database. A session whose owner has stopped renewing its lease for
`lease_seconds`, measured on the watcher's own clock, is taken over (see `fenix.store.leases`).
"""

import asyncio
import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy import Connection

from fenix import __version__
from fenix.domain import Reply
from fenix.engine.grip import Grip
from fenix.engine.runner import SessionRunner, Tools
from fenix.engine.sharing import Sharing
from fenix.logs import about
from fenix.metrics import ENGINE_SESSIONS, LEASES_RENEWED
from fenix.store import (
    DatabaseUnavailable,
    EngineRow,
    Lease,
    LeaseLost,
    leases,
    messages,
    replies,
    sessions,
)
from fenix.store.leases import View

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _News:
    """What an engine looks for in the database."""

    view: View
    requests: Collection[str]
    messages: Collection[str]
    replies: Sequence[Reply]


def _look(connection: Connection, mine: Sequence[str]) -> _News:
    return _News(
        leases.look(connection),
        sessions.requests(connection, mine) if mine else (),
        messages.requested(connection, mine) if mine else (),
        replies.waiting(connection, mine) if mine else (),
    )


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
        self._sharing = Sharing(self.id, tools.settings)
        self._given: set[str] = set()

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
                away = False
                while True:
                    try:
                        await self._look(tasks)
                        if away:
                            for runner in self._runners.values():
                                runner.database_returned()
                        away = False
                    except DatabaseUnavailable as error:
                        away = True
                        self._sharing.forget()
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
        mine = list(self._runners)
        news = await self._tools.database.read(lambda connection: _look(connection, mine))
        await self._share(news.view, tasks)
        for session_id in news.requests:
            if session_id in self._runners:
                self._runners[session_id].administrator_calls()
        for session_id in news.messages:
            if session_id in self._runners:
                self._runners[session_id].messages_to_send()
        # Together, so that they are written together; each is judged before the next one.
        await asyncio.gather(*(self._take(reply) for reply in news.replies))

    async def _share(self, view: View, tasks: asyncio.TaskGroup) -> None:
        """Claims the sessions that it should take, and gives one that it should give."""
        now = asyncio.get_running_loop().time()
        choice = self._sharing.choose(view, self._runners, now)
        for lease in choice.beyond:
            await self._claim(lease, tasks)
        for lease in choice.within:
            if len(self._runners) < choice.share:
                await self._claim(lease, tasks)
        if choice.surplus:
            self._give(choice.surplus)
        ENGINE_SESSIONS.set(len(self._runners))

    async def _take(self, reply: Reply) -> None:
        runner = self._runners.get(reply.session_id)
        if runner is None:
            return
        try:
            await runner.take_reply(reply)
        except LeaseLost:
            runner.grip.lose()
        except Exception:
            log.exception("session %s: reply %d can't be taken", reply.session_id, reply.id)

    async def _claim(self, lease: Lease, tasks: asyncio.TaskGroup) -> None:
        now = asyncio.get_running_loop().time()
        taken = await self._tools.database.write(lambda c: leases.take(c, lease, self.id))
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

    def _give(self, session_id: str) -> None:
        """Stops working on a session, so that an engine with fewer can take it."""
        log.info("session %s: given to another engine, which has fewer", session_id)
        self._given.add(session_id)
        self._tasks[session_id].cancel()

    async def _carry(self, runner: SessionRunner) -> None:
        lease = runner.grip.lease
        try:
            await self._work(runner)
            await self._release(lease)
        finally:
            self._given.discard(lease.session_id)
            del self._runners[lease.session_id], self._tasks[lease.session_id]

    async def _work(self, runner: SessionRunner) -> None:
        """Carries a session until it has ended or is somebody else's."""
        session_id = runner.grip.lease.session_id
        try:
            with about(session=session_id):
                await runner.run()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if session_id not in self._given or task is None or task.uncancel():
                raise
        except LeaseLost:
            log.warning("session %s: another engine has taken over", session_id)
        except Exception:
            # Not the workflow's fault, or it would be MAINTENANCE_FAILED: let another try.
            log.exception("session %s: the engine could not go on with it", session_id)
            await asyncio.sleep(self._tools.settings.loop_interval)

    async def _release(self, lease: Lease) -> None:
        try:
            await self._tools.database.write(lambda c: leases.release(c, lease))
        except DatabaseUnavailable as error:
            log.warning("session %s: its lease runs out by itself: %s", lease.session_id, error)

    async def _keep_leases(self, row: EngineRow) -> None:
        """Renews all leases at a third of their time; see `fenix.store.leases.shortest`."""
        settings, database = self._tools.settings, self._tools.database
        loop = asyncio.get_running_loop()

        def renew(connection: Connection) -> frozenset[tuple[str, int]]:
            leases.save_engine(connection, row)
            return leases.renew(connection, self.id)

        while True:
            row = replace(row, seen_at=self._tools.now(), beat=row.beat + 1)
            began = loop.time()
            before = list(self._runners.items())
            pause = settings.loop_interval
            try:
                async with asyncio.timeout(settings.retry_timeout):
                    held = await database.write(renew)
            except TimeoutError:
                log.warning(
                    "engine %s: the database did not renew the leases within %g s",
                    self.id,
                    settings.retry_timeout,
                )
            except DatabaseUnavailable as error:
                log.warning("engine %s: leases could not be renewed: %s", self.id, error)
            else:
                LEASES_RENEWED.set_to_current_time()
                pause = began + settings.lease_seconds / 3 - loop.time()
                for session_id, runner in before:
                    if (session_id, runner.grip.lease.epoch) in held:
                        runner.grip.renewed(began)
                    else:
                        runner.grip.lose()
                        if task := self._tasks.get(session_id):
                            task.cancel()
            await asyncio.sleep(pause)

    async def _leave(self) -> None:
        try:
            await self._tools.database.write(lambda c: leases.leave(c, self.id))
        except DatabaseUnavailable as error:
            log.warning("engine %s: its leases run out by themselves: %s", self.id, error)
