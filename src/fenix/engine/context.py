"""One session as its workflow sees it: the implementation of `fenix.workflows.Context`."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fenix.domain import (
    ActionRecord,
    ActionSpec,
    Constraints,
    EventType,
    HostNews,
    HostRecord,
    HostState,
    Instance,
    InstanceRecord,
    InstanceState,
    Inventory,
    Message,
    MoveAction,
    MoveRecord,
    ProjectRecord,
    ProjectState,
    Reply,
    Session,
    SessionOptions,
    SessionState,
)
from fenix.engine.actions import ActionDesk
from fenix.engine.cloud_access import CloudAccess
from fenix.engine.composer import Composer
from fenix.engine.hosts import HostDesk
from fenix.engine.inbox import Inbox
from fenix.engine.journal import Journal
from fenix.engine.mover import Mover
from fenix.engine.outbox import Outbox
from fenix.engine.progress import percent_done
from fenix.engine.shared import Shared
from fenix.engine.state import SessionData
from fenix.engine.waits import Waits
from fenix.messaging import Channel
from fenix.planning.ownership import heeded
from fenix.store import constraints, progress, sessions, subscriptions


class SessionContext:
    """Implements `Context`; see there for what each method promises."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        composer: Composer,
        outbox: Outbox,
        inbox: Inbox,
        access: CloudAccess,
        mover: Mover,
        host_desk: HostDesk,
        action_desk: ActionDesk,
        waits: Waits,
        channels: Sequence[Channel],
    ) -> None:
        self._data = data
        self._journal = journal
        self._composer = composer
        self._outbox = outbox
        self._inbox = inbox
        self._access = access
        self._mover = mover
        self._hosts = host_desk
        self._actions = action_desk
        self._waits = waits
        self._channels = channels
        self._seen: Inventory | None = None
        self._look = Shared(lambda: access.call("reading the inventory", access.cloud.inventory))

    @property
    def session(self) -> Session:
        return self._data.session

    @property
    def hosts(self) -> Mapping[str, HostRecord]:
        return self._data.hosts

    @property
    def instances(self) -> Mapping[str, InstanceRecord]:
        return self._data.instances

    @property
    def projects(self) -> Mapping[str, ProjectRecord]:
        return self._data.projects

    @property
    def moves(self) -> Mapping[str, MoveRecord]:
        return self._data.moves

    @property
    def memory(self) -> Mapping[str, Any]:
        return self._data.session.memory

    def now(self) -> datetime:
        return self._data.now()

    async def remember(self, **values: Any) -> None:
        self._data.session.memory = self._data.session.memory | values
        await self._journal.commit(sessions.save(self._data.session))

    async def set_state(self, state: SessionState) -> None:
        session = self._data.session
        if session.state is state:
            return
        session.state = state
        session.updated_at = self.now()
        session.percent_done = percent_done(self._data)
        session.waiting_for = self._waits.as_json()
        message = self._composer.session(state, session.percent_done, "", self.now())
        await self._outbox.post(
            message, sessions.save(session), self._data.entry("session.state", state)
        )

    async def set_host(
        self, name: str, state: HostState, why: str, news: HostNews | None = None
    ) -> None:
        await self._hosts.set_host(name, state, why, news)

    async def set_instance(
        self,
        instance: Instance,
        state: InstanceState,
        why: str,
        *,
        action: MoveAction | None = None,
        target: str | None = None,
        replaced_by: str | None = None,
    ) -> None:
        record = InstanceRecord(
            instance.id,
            instance.name,
            instance.project_id,
            instance.host,
            state,
            action,
            target,
            replaced_by,
            why,
        )
        self._data.instances[instance.id] = record
        await self._journal.commit(
            progress.save_instance(self._data.session.id, record),
            self._data.entry(
                f"instance.{state.lower()}",
                why,
                instance=instance.id,
                host=instance.host,
                project=instance.project_id,
            ),
        )

    async def note(
        self,
        what: str,
        why: str,
        *,
        host: str | None = None,
        instance: str | None = None,
        project: str | None = None,
    ) -> None:
        await self._journal.commit(
            self._data.entry(what, why, host=host, instance=instance, project=project)
        )

    def waiting(self, who: str, what: str, until: datetime | None) -> AbstractContextManager[None]:
        return self._waits.waiting(who, what, until)

    async def sleep_until(self, when: datetime, what: str) -> None:
        with self._waits.waiting("clock", what, when):
            await self._sleep_until(when)

    async def _sleep_until(self, when: datetime) -> None:
        # In steps, so that a change of the machine's clock is noticed.
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 60))

    async def inventory(self) -> Inventory:
        self._seen = await self._look()
        return self._seen

    async def inventory_of(self, host: str) -> Inventory:
        return await self._access.call(
            f"reading host {host}", lambda: self._access.cloud.inventory_of(host)
        )

    async def constraints(self) -> Constraints:
        seen = self._seen or await self.inventory()
        return heeded(await self._journal.read(constraints.load), seen)

    async def meet_project(self, project_id: str) -> ProjectRecord:
        known = self._data.projects.get(project_id)
        subscribed = await self._journal.read(
            lambda connection: subscriptions.list_all(connection, project_id)
        )
        reached = any(
            channel.targets(project_id, EventType.SCHEDULED, subscribed)
            for channel in self._channels
        )
        if known and known.reached == reached:
            return known
        record = replace(known, reached=reached) if known else ProjectRecord(project_id, reached)
        self._data.projects[project_id] = record
        await self._journal.commit(progress.save_project(self._data.session.id, record))
        return record

    def asked(self, key: str) -> ProjectState | None:
        message = self._data.messages.get(self._data.key(key))
        return ProjectState(message.state) if message else None

    async def ask(
        self,
        key: str,
        project_id: str,
        state: ProjectState,
        *,
        reply_by: datetime,
        actions_at: datetime,
        instances: Sequence[Instance] = (),
        single: bool = False,
    ) -> Reply | None:
        key = self._data.key(key)
        keys = [key, *(f"{key}~{number}" for number in range(1, self._options.nack_retries + 1))]
        for this, following in zip(keys, [*keys[1:], None], strict=True):
            reply = await self._ask_once(
                this,
                project_id,
                state,
                reply_by=reply_by,
                actions_at=actions_at,
                instances=instances,
                single=single,
            )
            # The first question's time is everybody's, also after a restart.
            reply_by = self._data.messages[key].reply_by or reply_by
            if following is None or reply is None or reply.state != state.nack:
                break
            if following not in self._data.messages and not await self._pause(reply, reply_by):
                break
        return reply

    async def _pause(self, refusal: Reply, reply_by: datetime) -> bool:
        """Waits until a project that refused can be asked again; False: there is no time left."""
        again = self.now() + timedelta(seconds=self._options.nack_pause)
        if again >= reply_by:
            return False
        what = f"be ready for {refusal.state.removeprefix('NACK_')}, which it refused"
        with self._waits.waiting(f"project {refusal.project_id}", what, again):
            await self._sleep_until(again)
        return True

    @property
    def _options(self) -> SessionOptions:
        return self._data.session.request.options

    async def _ask_once(
        self,
        key: str,
        project_id: str,
        state: ProjectState,
        *,
        reply_by: datetime,
        actions_at: datetime,
        instances: Sequence[Instance],
        single: bool,
    ) -> Reply | None:
        message = self._data.messages.get(key)
        if message is None:
            message = self._composer.scheduled(
                key,
                project_id,
                state,
                self.now(),
                instance_ids=[instance.id for instance in instances],
                reply_by=reply_by,
                actions_at=actions_at,
                single=single,
            )
            self._inbox.expect(message)
            await self._post(message, project_id, state)
        return await self._inbox.answer(key)

    async def disable_host(self, name: str) -> None:
        await self._hosts.disable_host(name)

    async def enable_host(self, name: str) -> None:
        await self._hosts.enable_host(name)

    async def move(
        self, key: str, instance: Instance, action: MoveAction, target: str | None
    ) -> MoveRecord:
        known = self._data.moves.get(self._data.key(key))
        what = f"{action} of instance {instance.id} to {target or 'any host'}"
        with self._waits.waiting("cloud", what, self._end_of_move(known)):
            return await self._mover.move(self._data.key(key), instance, action, target)

    async def rejoin_move(self, key: str) -> MoveRecord:
        record = self._data.moves[key]
        what = f"{record.action} of instance {record.instance_id}, begun before a restart"
        with self._waits.waiting("cloud", what, self._end_of_move(record)):
            return await self._mover.rejoin(record)

    async def run_action(self, key: str, spec: ActionSpec, host: str | None) -> ActionRecord:
        limit = timedelta(seconds=self._options.action_timeout)
        known = self._data.actions.get(self._data.key(key))
        until = (known.started_at if known else self.now()) + limit
        subject = f"host {host}" if host else f"{spec.type} actions"
        with self._waits.waiting(subject, f"action {spec.plugin}", until):
            return await self._actions.run(key, spec, host)

    def _end_of_move(self, record: MoveRecord | None) -> datetime:
        limit = timedelta(seconds=self._options.move_timeout)
        return (record.started_at if record else self.now()) + limit

    async def _post(
        self,
        message: Message,
        project_id: str,
        state: ProjectState,
    ) -> None:
        project = replace(
            self._data.projects[project_id],
            state=state,
            reply=None,
            instance_ids=list(message.instance_ids),
        )
        self._data.projects[project_id] = project
        await self._outbox.post(
            message,
            progress.save_project(self._data.session.id, project),
            self._data.entry("project.notified", state, project=project_id),
        )
