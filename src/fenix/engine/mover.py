"""Moves instances, each move once: the intent is written, then the cloud asked, then watched.

After a crash the intent is found, and the cloud says whether the move was ever started. One task
watches all moves of a session with a few bulk reads, however many there are.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from fenix.clouds import CloudError, CloudUnavailable, MovePhase, MoveStatus, MoveTicket
from fenix.domain import (
    Instance,
    InstanceRecord,
    InstanceState,
    MoveAction,
    MoveRecord,
    MoveState,
    ProjectState,
)
from fenix.engine.cloud_access import CloudAccess
from fenix.engine.composer import Composer
from fenix.engine.journal import Journal
from fenix.engine.outbox import Outbox
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.logs import about
from fenix.metrics import MOVES
from fenix.store import progress

log = logging.getLogger(__name__)

NEWCOMERS = 5.0
"""Seconds until a look at moves includes one that has begun meanwhile."""


class Mover:
    """The moves of one session."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        outbox: Outbox,
        composer: Composer,
        access: CloudAccess,
        settings: EngineSettings,
    ) -> None:
        self._data = data
        self._journal = journal
        self._outbox = outbox
        self._composer = composer
        self._access = access
        self._settings = settings
        self._options = data.session.request.options
        self._watched: dict[str, tuple[MoveTicket, asyncio.Future[MoveStatus]]] = {}
        self._news = asyncio.Event()
        self._cloud_ids: dict[str, set[str]] = defaultdict(set)
        for record in data.moves.values():
            if record.cloud_id:
                self._cloud_ids[record.instance_id].add(record.cloud_id)

    async def move(
        self, key: str, instance: Instance, action: MoveAction, target: str | None
    ) -> MoveRecord:
        """See `fenix.workflows.Context.move`."""
        record = self._data.moves.get(key)
        if record is None:
            record = MoveRecord(
                key, instance.id, instance.host, target, action, started_at=self._data.now()
            )
            await self._intend(instance, record)
            return await self._follow(record, start=True)
        return await self.rejoin(record)

    async def rejoin(self, record: MoveRecord) -> MoveRecord:
        """Waits for a move that was intended before; starts it if that never happened."""
        if record.state is MoveState.INTENDED:
            return await self._follow(record, start=None)
        return record

    async def settle(self) -> None:
        """Waits until no move is under way; what was never started is not started any more."""
        async with asyncio.TaskGroup() as tasks:
            for record in list(self._data.moves.values()):
                if record.state is MoveState.INTENDED:
                    tasks.create_task(self._follow(record, start=False))

    async def watch(self) -> None:
        """Watches the moves that are under way, until cancelled."""
        while True:
            await self._news.wait()
            while self._watched:
                self._news.clear()
                tickets = [ticket for ticket, _ in self._watched.values()]
                try:
                    statuses = await self._look_at_all(tickets)
                except (CloudUnavailable, CloudError) as error:
                    log.warning(
                        "session %s: looking at %d moves: %s",
                        self._data.session.id,
                        len(tickets),
                        error,
                    )
                    await asyncio.sleep(self._settings.cloud_retry)
                    continue
                for status in statuses:
                    _, waiter = self._watched.pop(status.instance_id, (None, None))
                    if waiter and not waiter.done():
                        waiter.set_result(status)
                # What was told goes on in its own tasks, and may have to be watched again.
                await asyncio.sleep(0)
            self._news.clear()

    async def _look_at_all(self, tickets: Sequence[MoveTicket]) -> Sequence[MoveStatus]:
        """What the cloud has to tell of moves, cut short soon after more of them have begun.

        Not at once: where moves begin all the time the cloud would never get to look.
        """
        looking = asyncio.ensure_future(
            self._access.cloud.watch_moves(tickets, self._settings.move_poll)
        )
        more = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait([looking, more], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([looking], timeout=NEWCOMERS)
            return looking.result() if looking.done() else ()
        finally:
            looking.cancel()
            more.cancel()

    async def _intend(self, instance: Instance, record: MoveRecord) -> None:
        self._data.moves[record.key] = record
        moving = InstanceRecord(
            id=instance.id,
            name=instance.name,
            project_id=instance.project_id,
            host=instance.host,
            state=InstanceState.MOVING,
            action=record.action,
            target=record.target,
        )
        if known := self._data.instances.get(instance.id):
            moving.why = known.why
        self._data.instances[moving.id] = moving
        session_id = self._data.session.id
        await self._journal.commit(
            progress.save_move(session_id, record),
            progress.save_instance(session_id, moving),
            self._data.entry(
                "instance.move.started",
                f"{record.action} to {record.target or 'where the scheduler likes best'}: "
                f"{moving.why}",
                instance=instance.id,
                host=record.source,
                project=instance.project_id,
            ),
        )

    async def _follow(self, record: MoveRecord, start: bool | None) -> MoveRecord:
        """Sees a move through to its end.

        Args:
            start: whether to ask the cloud for it; None: if it has not been asked yet.
        """
        ticket = MoveTicket(
            record.instance_id,
            record.action,
            record.source,
            record.target,
            record.started_at,
            frozenset(self._cloud_ids[record.instance_id]),
        )
        try:
            async with asyncio.timeout(self._left(record)) as limit:
                with about(host=record.source, instance=record.instance_id):
                    status = await self._see_through(ticket, start, limit)
        except TimeoutError:
            status = MoveStatus(
                record.instance_id,
                MovePhase.FAILED,
                detail=f"it did not end within {self._options.move_timeout:.0f} s",
            )
        except CloudError as error:
            status = MoveStatus(record.instance_id, MovePhase.FAILED, detail=str(error))
        return await self._ended(record, status)

    def _left(self, record: MoveRecord) -> float:
        spent = (self._data.now() - record.started_at).total_seconds()
        return max(self._options.move_timeout - spent, self._settings.cloud_retry)

    async def _see_through(
        self, ticket: MoveTicket, start: bool | None, limit: asyncio.Timeout
    ) -> MoveStatus:
        loop = asyncio.get_running_loop()
        started = False
        if start:
            await self._start(ticket)
            started = True
        patience = loop.time() + self._options.settle_timeout
        status = await self._look(ticket, again=started)
        while True:
            match status.phase:
                case MovePhase.NOT_STARTED if start is False:
                    return replace(
                        status, phase=MovePhase.FAILED, detail="the session ended before it started"
                    )
                case MovePhase.NOT_STARTED if not started:
                    # Its time only begins now, however long ago it was intended.
                    limit.reschedule(loop.time() + self._options.move_timeout)
                    await self._start(ticket)
                    started = True
                    patience = loop.time() + self._options.settle_timeout
                case MovePhase.NOT_STARTED:
                    # Accepted, and the cloud's record of it is not there yet.
                    if loop.time() > patience:
                        return replace(
                            status,
                            phase=MovePhase.FAILED,
                            detail="the cloud accepted it and never began it",
                        )
                    await asyncio.sleep(min(1.0, self._settings.cloud_retry))
                case MovePhase.AWAITING_CONFIRM:
                    await self._access.call(
                        f"confirming the move of instance {ticket.instance_id}",
                        lambda: self._access.cloud.confirm_move(ticket.instance_id),
                    )
                case _:
                    return status
            status = await self._look(ticket, again=True)

    async def _start(self, ticket: MoveTicket) -> None:
        cloud = self._access.cloud
        tries = 0

        async def attempt() -> None:
            nonlocal tries
            tries += 1
            try:
                await cloud.start_move(ticket.instance_id, ticket.action, ticket.target)
            except (CloudUnavailable, CloudError) as error:
                # A request whose answer was lost may have got through: then the cloud refuses the
                # next one, since the instance is moving.
                if isinstance(error, CloudError) and tries == 1:
                    raise
                statuses = await cloud.watch_moves([ticket], 0)
                if any(status.phase is MovePhase.NOT_STARTED for status in statuses):
                    raise

        await self._access.call(f"moving instance {ticket.instance_id}", attempt)

    async def _look(self, ticket: MoveTicket, again: bool) -> MoveStatus:
        """How a move stands; waits while it is running."""
        if not again:
            statuses = await self._access.call(
                f"looking at the move of instance {ticket.instance_id}",
                lambda: self._access.cloud.watch_moves([ticket], 0),
            )
            if statuses:
                return statuses[0]
        waiter: asyncio.Future[MoveStatus] = asyncio.get_running_loop().create_future()
        self._watched[ticket.instance_id] = (ticket, waiter)
        self._news.set()
        try:
            return await waiter
        finally:
            self._watched.pop(ticket.instance_id, None)

    async def _ended(self, record: MoveRecord, status: MoveStatus) -> MoveRecord:
        done = status.phase is MovePhase.DONE
        gone = status.phase is MovePhase.GONE
        now = self._data.now()
        ended = replace(
            record,
            state=MoveState.DONE if done else MoveState.FAILED,
            target=status.host if done and status.host else record.target,
            cloud_id=status.cloud_id,
            finished_at=now,
            error=None
            if done
            else "the instance is gone"
            if gone
            else status.detail or "it failed",
        )
        self._data.moves[record.key] = ended
        MOVES.labels(record.action, status.phase).observe((now - record.started_at).total_seconds())
        if status.cloud_id:
            self._cloud_ids[record.instance_id].add(status.cloud_id)
        instance = self._data.instances[record.instance_id]
        instance = replace(
            instance,
            host=status.host or instance.host,
            state=InstanceState.MOVED
            if done
            else InstanceState.GONE
            if gone
            else InstanceState.FAILED,
        )
        self._data.instances[instance.id] = instance
        session_id = self._data.session.id
        writes = (
            progress.save_move(session_id, ended),
            progress.save_instance(session_id, instance),
            self._data.entry(
                "instance.move.finished" if done else "instance.move.failed",
                f"it is on {instance.host}" if done else str(ended.error),
                instance=instance.id,
                host=instance.host,
                project=instance.project_id,
            ),
        )
        if not done:
            log.warning(
                "session %s: instance %s: %s from %s to %s failed: %s",
                session_id,
                instance.id,
                record.action,
                record.source,
                record.target,
                ended.error,
            )
            await self._journal.commit(*writes)
            return ended
        message = self._composer.scheduled(
            f"INSTANCE_ACTION_DONE:{record.key}",
            instance.project_id,
            ProjectState.INSTANCE_ACTION_DONE,
            now,
            instance_ids=[instance.id],
            reply_by=None,
            actions_at=now,
            single=False,
        )
        await self._outbox.post(message, *writes)
        return ended
