"""Runs a scenario: the real engine and the real workflow over a simulated cloud."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from fenix.clouds import Cloud
from fenix.clouds.simulated import SimulatedCloud, World
from fenix.domain import HostState, NotFound, Reply, Session, SessionOptions
from fenix.engine import Engine, EngineSettings, Tools, intake
from fenix.simulation.building import (
    build_world,
    constraints_of,
    schedule_faults,
    session_request,
)
from fenix.simulation.clock import virtual_now
from fenix.simulation.events import EventLog, Observer
from fenix.simulation.host_work import HostWork
from fenix.simulation.invariants import Invariants
from fenix.simulation.manager_faults import FaultyManager
from fenix.simulation.managers import ManagerChannel
from fenix.simulation.scenario import Scenario
from fenix.store import Database, constraints, progress, sessions
from fenix.store.tables import create_tables

LONGEST = 30 * 86400.0
"""Virtual seconds after which a simulation is given up."""

SETTINGS = EngineSettings(machine="simulation", loop_interval=300.0, lease_seconds=900.0)
"""Wakes and replies come at once here: looking often would only cost time."""


@dataclass
class Stage:
    """All that a simulation consists of, for whoever wants to disturb it."""

    scenario: Scenario
    world: World
    log: EventLog
    invariants: Invariants
    database: Database
    now: Callable[[], datetime]
    cloud: SimulatedCloud
    channel: ManagerChannel
    actions: HostWork
    settings: EngineSettings = SETTINGS
    engines: list[Engine] = field(default_factory=list)
    spoilt: Cloud | None = None
    """What engines get in the place of the cloud."""

    def tools(self) -> Tools:
        """What an engine gets."""
        return Tools(
            self.database,
            self.spoilt or self.cloud,
            [self.channel],
            self.actions,
            self.now,
            self.settings,
        )

    def wake(self) -> None:
        """Wakes all engines."""
        for engine in self.engines:
            engine.wake()


@dataclass(frozen=True)
class Outcome:
    """How a simulation ended."""

    session: Session
    stage: Stage

    @property
    def violations(self) -> list[str]:
        """What must never happen and did."""
        return self.stage.invariants.violations


async def set_stage(
    scenario: Scenario, tasks: asyncio.TaskGroup, database: Database | None = None
) -> Stage:
    """Builds everything but the engine.

    Args:
        tasks: runs managers and host work.
        database: one with all tables and no rows; None: a new one in memory.
    """
    loop = asyncio.get_running_loop()
    world = build_world(scenario)
    log = EventLog(loop.time())
    invariants = Invariants(scenario)
    log.observers.append(invariants)
    world.listeners.append(log.record)
    if database is None:
        database = Database("sqlite://")
        create_tables(database.engine)
    now = virtual_now()

    async def answer(reply: Reply) -> None:
        # Over HTTP it gets 404 when the session has been deleted meanwhile.
        with contextlib.suppress(NotFound):
            await intake.accept_reply(database, reply, now())
        stage.wake()

    channel = ManagerChannel(scenario, world, log, tasks, answer)
    for ident, manager in channel.managers.items():
        faults = [fault for fault in scenario.faults if fault.project == ident]
        if faults:
            channel.managers[ident] = FaultyManager(manager, faults, world)
    channel.listeners.append(invariants.heard)
    stage = Stage(
        scenario,
        world,
        log,
        invariants,
        database,
        now,
        SimulatedCloud(world, now),
        channel,
        HostWork(world, tasks),
    )
    known = constraints_of(scenario)
    await database.write(lambda connection: constraints.put_all(connection, known))
    return stage


async def create_session(
    stage: Stage, workflow: str | None = None, options: SessionOptions | None = None
) -> Session:
    """Creates the scenario's session."""
    request = session_request(stage.scenario, workflow, stage.now(), options)
    stage.invariants.expect(request)
    return await intake.create_session(
        stage.database, stage.cloud, request, "admin", stage.now(), session_id="simulation"
    )


async def simulate(
    scenario: Scenario,
    workflow: str | None = None,
    options: SessionOptions | None = None,
    observers: Iterable[Observer] = (),
) -> Outcome:
    """Runs a scenario to its end; to be called in virtual time.

    Args:
        workflow: None: the scenario's own.
        observers: are told each event.

    Raises:
        InvalidField: no workflow of that name is installed.
        TimeoutError: the session does not end.
    """
    async with asyncio.TaskGroup() as tasks:
        stage = await set_stage(scenario, tasks)
        stage.log.observers.extend(observers)
        schedule_faults(scenario, stage.world)
        session = await create_session(stage, workflow, options)
        engine = Engine(stage.tools(), "engine-1")
        stage.engines.append(engine)
        running = tasks.create_task(engine.run())
        await until_closed(stage, session.id)
        running.cancel()
    return await conclude(stage, session.id)


async def until_closed(stage: Stage, session_id: str) -> None:
    """Waits until nothing is left to do for the session."""
    async with asyncio.timeout(LONGEST):
        while True:
            session = await stage.database.read(lambda c: sessions.get(c, session_id))
            if session is None or not session.open:
                return
            await asyncio.sleep(stage.settings.loop_interval)


async def conclude(stage: Stage, session_id: str) -> Outcome:
    """Looks at the end of a session and checks what must hold then."""
    session = await stage.database.read(lambda c: sessions.get(c, session_id))
    assert session is not None
    hosts = await stage.database.read(lambda c: progress.list_hosts(c, session_id))
    failed = frozenset(host.name for host in hosts if host.state is HostState.FAILED)
    skipped = frozenset(host.name for host in hosts if host.state is HostState.SKIPPED)
    stage.invariants.at_end(session.state == "MAINTENANCE_DONE", failed, skipped)
    return Outcome(session, stage)
