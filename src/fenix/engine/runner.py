"""Runs one session that the engine owns: its workflow, its failure, its deletion."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from fenix.actions import ActionRunner
from fenix.clouds import Cloud, may_act, on_behalf
from fenix.domain import Ending, HostState, Reply, SessionState
from fenix.engine.actions import ActionDesk
from fenix.engine.cloud_access import CloudAccess
from fenix.engine.composer import Composer
from fenix.engine.context import SessionContext
from fenix.engine.grip import Grip
from fenix.engine.hosts import HostDesk
from fenix.engine.inbox import Inbox
from fenix.engine.journal import Journal
from fenix.engine.mover import Mover
from fenix.engine.outbox import Outbox
from fenix.engine.progress import percent_done
from fenix.engine.reasons import expected, lost_lease, reason
from fenix.engine.settings import EngineSettings
from fenix.engine.state import Now, load
from fenix.engine.waits import Waits
from fenix.engine.wind_up import WindUp
from fenix.messaging import Channel
from fenix.store import Database, Write, leases, progress, replies, sessions
from fenix.workflows import SessionFailed, registry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What an engine works with; the same for all its sessions.

    Attributes:
        now: the time of day, naive UTC.
    """

    database: Database
    cloud: Cloud
    channels: Sequence[Channel]
    actions: ActionRunner
    now: Now
    settings: EngineSettings


class SessionRunner:
    """Carries one session to its end, or until the lease is lost or the engine stops."""

    def __init__(self, tools: Tools, grip: Grip) -> None:
        self.grip = grip
        self._tools = tools
        self._session_id = grip.lease.session_id
        self._journal = Journal(tools.database, grip)
        self._waits = Waits(tools.now)
        self._inbox: Inbox | None = None
        self._called = asyncio.Event()

    def administrator_calls(self) -> None:
        """An administrator wants the session continued or deleted."""
        self._called.set()

    def database_returned(self) -> None:
        """The database was away and answers again."""
        self._journal.database_returned()

    def messages_to_send(self) -> None:
        """An administrator wants messages sent again."""
        if self._inbox is not None:  # else all that waits is read at the beginning
            self._outbox.look_again()

    async def take_reply(self, reply: Reply) -> None:
        """Takes a reply out of the inbox."""
        if self._inbox is not None:
            await self._inbox.take(reply)

    async def run(self) -> None:
        """Returns when the session has ended and its messages are out.

        Raises:
            LeaseLost: another engine has it.
        """
        tools = self._tools
        lease = self.grip.lease
        on_behalf.set(f"{lease.session_id} {lease.epoch} {lease.owner}")
        loop = asyncio.get_running_loop()
        may_act.set(lambda: self.grip.holds(loop.time()))
        data = await self._journal.read(lambda c: load(c, self._session_id, tools.now))
        self._data = data
        settings = tools.settings
        last = max((message.sequence for message in data.messages.values()), default=0)
        self._composer = Composer(data.session, settings.public_endpoint, last)
        self._outbox = Outbox(data, self._journal, self.grip, tools.channels, settings)
        inbox = Inbox(data, self._journal, self._outbox, self._waits)
        # What came while nobody had the session still counts, whatever its deadline was.
        for reply in await self._journal.read(lambda c: replies.waiting(c, [self._session_id])):
            await inbox.take(reply)
        self._inbox = inbox
        access = CloudAccess(tools.cloud, self.grip, settings, data, self._waits)
        mover = Mover(data, self._journal, self._outbox, self._composer, access, settings)
        hosts = HostDesk(
            data, self._journal, self._outbox, self._composer, access, self._waits, settings
        )
        actions = ActionDesk(data, self._journal, self.grip, tools.actions, settings)
        self._context = SessionContext(
            data,
            self._journal,
            self._composer,
            self._outbox,
            inbox,
            access,
            mover,
            hosts,
            actions,
            self._waits,
            tools.channels,
        )
        self._wind_up = WindUp(
            data, self._journal, self._outbox, self._composer, mover, hosts, actions, self._waits
        )
        try:
            async with asyncio.TaskGroup() as helpers:
                tasks = [
                    helpers.create_task(self._outbox.run()),
                    helpers.create_task(mover.watch()),
                    helpers.create_task(self._show()),
                ]
                await self._carry()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            if lost_lease(errors):
                raise leases.LeaseLost(str(reason(errors))) from None
            raise

    async def _carry(self) -> None:
        session = self._data.session
        if not self._data.messages:
            await self._announce("created", self._data.entry("session.state", session.state))
        while True:
            await self._heed_administrator()
            if session.delete_requested:
                await self._wind_up.delete()
            elif session.ending is Ending.FAILED and not session.state.ended:
                await self._wind_up.fail(session.reason or "")
                continue
            elif not session.state.ended:
                await self._advance()
                continue
            else:
                until = self._data.now() + timedelta(seconds=self._tools.settings.delivery_give_up)
                with self._waits.waiting("message channels", "take the last messages", until):
                    await self._until_called(self._drained())
            if await self._close():
                return
            self._outbox.look_again()

    async def _close(self) -> bool:
        closed = []

        def write(connection: Connection) -> None:
            closed.append(sessions.close(connection, self._session_id))

        await self._journal.commit(write)
        return closed[-1]

    async def _heed_administrator(self) -> None:
        """Looks whether the session is to be deleted, or to go on after a failure."""
        self._called.clear()
        stored = await self._journal.read(lambda c: sessions.get(c, self._session_id))
        session = self._data.session
        if stored is None:
            return
        session.delete_requested = stored.delete_requested
        if stored.resume_state is None or not session.state.ended:
            return
        session.state, session.failed_state = stored.resume_state, None
        session.reason = session.ending = session.finished_at = None
        session.updated_at = self._data.now()
        # Hosts whose maintenance failed are tried again.
        again = [
            replace(host, state=HostState.PENDING, finished_at=None)
            for host in self._data.hosts.values()
            if host.state in (HostState.FAILED, HostState.SKIPPED)
        ]
        for host in again:
            self._data.put_host(host)
        # So are projects that refused: they may be asked again.
        asked = [replace(project, reply=None) for project in self._data.projects.values()]
        self._data.projects.update({project.id: project for project in asked})
        await self._announce(
            "continued",
            *(progress.save_host(session.id, host) for host in again),
            *(progress.save_project(session.id, project) for project in asked),
            sessions.resumed(session.id),
            sessions.save(session),
            self._data.entry("session.continued", f"at {session.state}"),
        )

    async def _announce(self, detail: str, *writes: Write) -> None:
        session = self._data.session
        message = self._composer.session(
            session.state, session.percent_done, detail, self._data.now()
        )
        await self._outbox.post(message, *writes)

    async def _advance(self) -> None:
        """Runs the present state of the workflow and enters the next one."""
        session = self._data.session
        try:
            following = await self._step(session.state)
        except Exception as error:
            if lost_lease(error):
                raise
            why = reason(error)
            log.error(
                "session %s failed: %s",
                session.id,
                why,
                exc_info=None if expected(error) else error,
            )
            await self._wind_up.fail(why)
        else:
            if following is not None:
                await self._enter(following)

    async def _drained(self) -> None:
        await self._outbox.drained(None)

    async def _step(self, state: SessionState) -> SessionState | None:
        """Runs one state of the workflow; None: cut short, an administrator calls."""
        workflow = registry.load(self._data.session.request.workflow)(self._context)
        result: list[SessionState] = []

        async def work() -> None:
            result.append(await workflow.run(state))

        await self._until_called(work())
        return result[0] if result else None

    async def _until_called(self, work: Coroutine[None, None, None]) -> None:
        """Does some work, unless an administrator calls before it is done."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(work)
            calling = tasks.create_task(self._called.wait())
            await asyncio.wait([working, calling], return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            calling.cancel()

    async def _enter(self, state: SessionState) -> None:
        session = self._data.session
        if state is SessionState.MAINTENANCE_FAILED:
            raise SessionFailed("a workflow fails by raising SessionFailed")
        now = self._data.now()
        session.updated_at = now
        if state is SessionState.MAINTENANCE_DONE:
            session.finished_at = now
            session.percent_done = 100
        await self._context.set_state(state)

    async def _show(self) -> None:
        """Writes progress and waits from time to time, if they have changed."""
        shown: object = None
        while True:
            await asyncio.sleep(self._tools.settings.loop_interval)
            session = self._data.session
            percent, waits = percent_done(self._data), self._waits.as_json()
            if (percent, waits) != shown and not session.state.ended:
                shown = (percent, waits)
                session.percent_done, session.waiting_for = percent, waits
                await self._journal.commit(
                    sessions.save_progress(session.id, percent, waits, self._data.now())
                )
