"""Plays a simulation that a test can disturb, and shows what truly happened in it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from fenix.domain import (
    ActionRecord,
    ActionState,
    Delivery,
    DeliveryState,
    HostRecord,
    InstanceRecord,
    Message,
    MoveRecord,
    MoveState,
    Session,
    SessionOptions,
    SessionRequest,
    SessionState,
    TimelineEntry,
    UnmanagedPolicy,
)
from fenix.engine import Engine, Tools, intake
from fenix.simulation import clock
from fenix.simulation.building import schedule_faults, session_request
from fenix.simulation.events import Event
from fenix.simulation.running import Stage, set_stage, until_closed
from fenix.simulation.scenario import Scenario
from fenix.store import messages, progress, sessions, timeline
from tests.simulation.databases import blank_database

PATIENCE = 3 * 86400.0
"""Virtual seconds that a test waits for something."""

SELDOM = {"loop_interval": 300.0, "lease_seconds": 900.0}
"""Engines look and renew their leases seldom: that takes most of the time."""

OFTEN = {"loop_interval": 30.0, "lease_seconds": 90.0}
"""Where leases or what an operator sees matter."""


@dataclass
class Play:
    """A simulation under way."""

    stage: Stage
    session_id: str
    tasks: asyncio.TaskGroup
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def start(self, name: str, tools: Tools | None = None) -> Engine:
        """Starts an engine."""
        engine = Engine(tools or self.stage.tools(), name)
        self.stage.engines.append(engine)
        self.running[name] = self.tasks.create_task(engine.run())
        return engine

    async def stop(self, name: str) -> None:
        """Stops an engine in order."""
        task = self.running.pop(name)
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)
        self.stage.engines[:] = [one for one in self.stage.engines if one.id != name]

    def stop_all(self) -> None:
        """Stops all engines when the play is over."""
        for task in self.running.values():
            task.cancel()

    async def event(self, kind: str, **keys: Any) -> Event:
        """Waits until something has happened, and returns the first that fits."""
        wanted = {"event": kind, **keys}.items()
        news = asyncio.Event()
        self.stage.log.observers.append(lambda _: news.set())
        async with asyncio.timeout(PATIENCE):
            while True:
                news.clear()
                for event in self.stage.log.events:
                    if wanted <= event.items():
                        return event
                await news.wait()

    async def closed(self) -> None:
        """Waits until no engine has anything left to do for the session."""
        async with asyncio.timeout(PATIENCE):
            await until_closed(self.stage, self.session_id)

    async def session(self) -> Session:
        """The session as it is in the database."""
        found = await self.stage.database.read(lambda c: sessions.get(c, self.session_id))
        assert found is not None
        return found

    async def delete(self) -> None:
        """An administrator deletes the session."""
        await intake.delete_session(self.stage.database, self.session_id, self.stage.now())
        self.stage.wake()

    async def go_on(self, state: str | None = None) -> None:
        """An administrator lets the failed session go on, where it failed or at a state."""
        where = state or (await self.session()).failed_state
        assert where is not None
        await intake.continue_session(self.stage.database, self.session_id, where, self.stage.now())
        self.stage.wake()


Story = Callable[[Play], Awaitable[None]]


@dataclass(frozen=True)
class Ending:
    """What is there when a play is over.

    Attributes:
        session: None when it is deleted.
        sent: every message of the session as a channel took it.
    """

    stage: Stage
    session_id: str
    session: Session | None
    hosts: dict[str, HostRecord]
    instances: dict[str, InstanceRecord]
    moves: list[MoveRecord]
    actions: list[ActionRecord]
    messages: list[Message]
    deliveries: list[Delivery]
    timeline: list[TimelineEntry]

    @property
    def sent(self) -> list[Message]:
        """See the class."""
        return [
            message
            for message in self.stage.channel.sent
            if message.payload["session_id"] == self.session_id
        ]

    @property
    def events(self) -> list[Event]:
        """All that happened in the world."""
        return self.stage.log.events

    @property
    def state(self) -> str:
        """The session's last state."""
        return self.session.state if self.session else "deleted"

    @property
    def reason(self) -> str:
        """Why the session failed."""
        assert self.session is not None
        return self.session.reason or ""

    def of(self, kind: str, **keys: Any) -> list[Event]:
        """The events of a kind in which some keys have these values."""
        wanted = {"event": kind, **keys}.items()
        return [event for event in self.events if wanted <= event.items()]

    def first(self, kind: str, **keys: Any) -> float:
        """When something happened first, in seconds from the start."""
        at: float = self.of(kind, **keys)[0]["t"]
        return at

    def told(self, project: str) -> list[str]:
        """The states of the messages to a project, in their order."""
        return [event["state"] for event in self.of("project.notified", project=project)]

    def places(self) -> dict[str, str]:
        """Where each instance is now."""
        return {ident: one.host for ident, one in self.stage.world.instances.items()}

    def disabled(self) -> set[str]:
        """The hosts that are disabled now."""
        return {host.name for host in self.stage.world.hosts.values() if not host.enabled}


def perform(
    scenario: Scenario,
    story: Story | None = None,
    *,
    prepare: Callable[[Stage], None] | None = None,
    around: Callable[[Tools], Tools] | None = None,
    cast: Callable[[Play], None] | None = None,
    settings: dict[str, Any] | None = None,
    request: dict[str, Any] | None = None,
    state: str | None = "MAINTENANCE_DONE",
    violations: Collection[str] = (),
    **options: Any,
) -> Ending:
    """Plays a scenario in virtual time, and checks what must hold at every end.

    Args:
        story: what happens while the session goes on, from its creation.
        prepare: changes the stage before the session is created.
        around: changes the tools of the engine.
        cast: starts the engines; None: there is one, `engine-1`.
        settings: changed fields of `EngineSettings`; see `SELDOM`.
        request: changed fields of `SessionRequest`.
        state: the session's expected last state; None: it is deleted.
        violations: those of the invariants that are expected, word by word.
        options: changed fields of `SessionOptions`.
    """

    async def main() -> Ending:
        async with asyncio.TaskGroup() as tasks:
            stage = await set_stage(scenario, tasks, blank_database())
            stage.settings = replace(stage.settings, **SELDOM | (settings or {}))
            schedule_faults(scenario, stage.world)
            if prepare:
                prepare(stage)
            chosen = {"unmanaged_projects": UnmanagedPolicy.MOVE} | options
            asked = session_request(scenario, None, stage.now(), SessionOptions(**chosen))
            session = await create(stage, replace(asked, **request or {}))
            play = Play(stage, session.id, tasks)
            if cast:
                cast(play)
            else:
                play.start("engine-1", around(stage.tools()) if around else None)
            if story:
                await story(play)
            await play.closed()
            play.stop_all()
        return await look(stage, session.id)

    ending = clock.run(main())
    check(ending, state, violations)
    return ending


async def create(stage: Stage, request: SessionRequest, ident: str = "simulation") -> Session:
    """Creates a session as an administrator does."""
    stage.invariants.expect(request)
    return await intake.create_session(
        stage.database, stage.cloud, request, "admin", stage.now(), session_id=ident
    )


async def look(stage: Stage, session_id: str) -> Ending:
    """Reads all that there is."""

    def read(connection: Connection) -> Ending:
        return Ending(
            stage=stage,
            session_id=session_id,
            session=sessions.get(connection, session_id),
            hosts={one.name: one for one in progress.list_hosts(connection, session_id)},
            instances={one.id: one for one in progress.list_instances(connection, session_id)},
            moves=list(progress.list_moves(connection, session_id)),
            actions=[one for one, _ in progress.list_actions(connection, session_id)],
            messages=list(messages.list_messages(connection, session_id)),
            deliveries=list(messages.list_deliveries(connection, session_id)),
            timeline=[one for _, one in timeline.list_entries(connection, session_id)],
        )

    return await stage.database.read(read)


def check(ending: Ending, state: str | None, violations: Collection[str] = ()) -> None:
    """Checks what must hold at every end, whatever happened before."""
    session = ending.session
    if state is None:
        assert session is None
    else:
        assert session is not None
        assert session.state == state, session.reason
        assert session.waiting_for == []
        assert (session.percent_done == 100) is (state == SessionState.MAINTENANCE_DONE)
        assert bool(session.reason) is (state == SessionState.MAINTENANCE_FAILED)
    failed = frozenset(one.name for one in ending.hosts.values() if one.state == "FAILED")
    skipped = frozenset(one.name for one in ending.hosts.values() if one.state == "SKIPPED")
    ending.stage.invariants.at_end(state == SessionState.MAINTENANCE_DONE, failed, skipped)
    assert sorted(ending.stage.invariants.violations) == sorted(violations)
    assert {one.state for one in ending.moves} <= {MoveState.DONE, MoveState.FAILED}
    assert {one.state for one in ending.actions} <= {ActionState.DONE, ActionState.FAILED}
    assert DeliveryState.PENDING not in {one.state for one in ending.deliveries}
    _check_messages(ending)


def _check_messages(ending: Ending) -> None:
    """Every message has one id, and whoever gets it got it, unless it was given up."""
    ids = {message.key: message.id for message in ending.messages}
    assert all(ids[message.key] == message.id for message in ending.sent)
    sent = {message.id for message in ending.sent}
    delivered = {
        one.message.id for one in ending.deliveries if one.state is DeliveryState.DELIVERED
    }
    assert delivered <= sent
    told = Counter(message.key for message in ending.messages)
    assert not told or max(told.values()) == 1
