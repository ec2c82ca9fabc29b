"""Ends a session's work safely: nothing is left running, no host left disabled.

What is under way in the cloud and on hosts is waited for, not cut off. Hosts that the session
disabled are enabled again, except those whose maintenance failed: they are not in working order.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from fenix.clouds import CloudError
from fenix.domain import (
    ActionRecord,
    ActionState,
    Ending,
    HostNews,
    HostState,
    MoveRecord,
    MoveState,
    ProjectState,
    SessionState,
)
from fenix.engine.actions import ActionDesk
from fenix.engine.composer import Composer
from fenix.engine.hosts import HostDesk
from fenix.engine.journal import Journal
from fenix.engine.mover import Mover
from fenix.engine.outbox import Outbox
from fenix.engine.state import SessionData
from fenix.engine.waits import Waits
from fenix.store import messages, sessions

log = logging.getLogger(__name__)

LAST_MESSAGES = 10.0
"""Seconds that a deleted session's last messages get."""

LAST_WORD = "session:deleted"
"""Key of the message that tells the administrator."""

UNFINISHED = (HostState.DRAINING, HostState.EMPTY, HostState.IN_MAINTENANCE)


class WindUp:
    """The end of one session that does not end by itself."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        outbox: Outbox,
        composer: Composer,
        mover: Mover,
        hosts: HostDesk,
        actions: ActionDesk,
        waits: Waits,
    ) -> None:
        self._data = data
        self._journal = journal
        self._outbox = outbox
        self._composer = composer
        self._mover = mover
        self._hosts = hosts
        self._actions = actions
        self._waits = waits

    async def fail(self, why: str) -> None:
        """Brings the session to MAINTENANCE_FAILED."""
        session = self._data.session
        if session.ending is None:
            session.ending = Ending.FAILED
            session.reason = why
            session.failed_state = session.state
            # What comes after a failure is a new attempt: what failed is tried again.
            session.memory = session.memory | {"attempt": self._data.attempt + 1}
            await self._journal.commit(
                sessions.save(session), self._data.entry("session.failing", why)
            )
        await self._clean_up()
        now = self._data.now()
        session.state = SessionState.MAINTENANCE_FAILED
        session.updated_at = session.finished_at = now
        session.waiting_for = []
        await self._outbox.post(
            self._composer.session(session.state, session.percent_done, why, now),
            sessions.save(session),
            self._data.entry("session.state", f"{session.state}: {why}"),
        )

    async def delete(self) -> None:
        """Ends the session whatever its state, so that it can be forgotten."""
        session = self._data.session
        unfinished = not session.state.ended
        if session.ending is not Ending.DELETED:
            session.ending, session.updated_at = Ending.DELETED, self._data.now()
            await self._journal.commit(
                sessions.save(session),
                self._data.entry("session.deleting", "an administrator asked for it"),
            )
        await self._clean_up()
        await self._scale_out()
        if unfinished and LAST_WORD not in self._data.messages:
            now = session.finished_at = self._data.now()
            await self._outbox.post(
                self._composer.session(
                    SessionState.MAINTENANCE_FAILED,
                    session.percent_done,
                    "deleted by an administrator",
                    now,
                    key="deleted",
                ),
                sessions.save(session),
            )
        until = self._data.now() + timedelta(seconds=LAST_MESSAGES)
        with self._waits.waiting("message channels", "take the session's last messages", until):
            if not await self._outbox.drained(LAST_MESSAGES):
                await self._journal.commit(
                    lambda connection: messages.give_up(
                        connection, session.id, "the session was deleted", self._data.now()
                    )
                )

    async def _clean_up(self) -> None:
        options = self._data.session.request.options
        moves = [one for one in self._data.moves.values() if one.state is MoveState.INTENDED]
        if moves:
            until = self._end(moves, options.move_timeout)
            with self._waits.waiting("cloud", f"end {len(moves)} moves", until):
                await self._mover.settle()
        runs = [one for one in self._data.actions.values() if one.state is ActionState.INTENDED]
        if runs:
            until = self._end(runs, options.action_timeout)
            with self._waits.waiting("hosts", f"end {len(runs)} actions", until):
                await self._actions.settle()
        # What failed in an earlier attempt may have been done well since.
        last = {
            run.host: run
            for run in sorted(self._data.actions.values(), key=lambda run: run.started_at)
        }
        broken = {host for host, run in last.items() if run.state is ActionState.FAILED}
        for host in list(self._data.hosts.values()):
            if host.state not in UNFINISHED:
                continue
            state, why = HostState.PENDING, "the session ended before its maintenance"
            news = None
            if host.state is HostState.IN_MAINTENANCE:
                news = HostNews.MAINTENANCE_COMPLETE
                if host.name in broken:
                    state, why = HostState.FAILED, "its maintenance failed"
                    news = HostNews.MAINTENANCE_FAILED
            await self._hosts.set_host(host.name, state, why, news, ":ended")
        for host in list(self._data.hosts.values()):
            if host.state is not HostState.FAILED:
                await self._enable(host.name)

    @staticmethod
    def _end(under_way: Sequence[MoveRecord | ActionRecord], seconds: float) -> datetime:
        """When the last one is over at the latest."""
        return max(one.started_at for one in under_way) + timedelta(seconds=seconds)

    async def _enable(self, name: str) -> None:
        """Enables a host; one that the cloud has lost must not keep the others disabled."""
        try:
            await self._hosts.enable_host(name)
        except CloudError as error:
            why = f"the cloud does not enable it: {error}"
            log.warning("session %s: host %s: %s", self._data.session.id, name, why)
            await self._journal.commit(self._data.entry("host.left_disabled", why, host=name))

    async def _scale_out(self) -> None:
        """Tells the projects that gave capacity back that they may have it again.

        Also those that have not answered: they may be about to give it.
        """
        now = self._data.now()
        gave, told = set(), set()
        for message in self._data.messages.values():
            if message.state == ProjectState.MAINTENANCE_COMPLETE:
                told.add(message.project_id)
            elif message.state == ProjectState.SCALE_IN:
                answer = (message.reply or {}).get("state")
                if answer != ProjectState.SCALE_IN.nack:
                    gave.add(message.project_id)
        for project_id in sorted(gave - told):
            await self._outbox.post(
                self._composer.scheduled(
                    f"MAINTENANCE_COMPLETE:{project_id}:deleted",
                    project_id,
                    ProjectState.MAINTENANCE_COMPLETE,
                    now,
                    instance_ids=[],
                    reply_by=None,
                    actions_at=now,
                    single=False,
                )
            )
