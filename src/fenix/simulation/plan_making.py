"""Makes a plan: the real engine and workflow carry the session out in a copy of the cloud."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from fenix.clouds.simulated import SimulatedCloud, World
from fenix.domain import NotFound, Reply, SessionState
from fenix.engine import Engine, Tools, intake
from fenix.simulation import clock
from fenix.simulation.events import EventLog
from fenix.simulation.host_work import HostWork
from fenix.simulation.managers import ManagerChannel
from fenix.simulation.plan import Plan, PlannedScaleIn, PlanOrder
from fenix.simulation.plan_bounds import lower_bounds
from fenix.simulation.plan_copy import copy_cloud, copy_request, describe, notes
from fenix.simulation.plan_report import (
    Carried,
    given_up,
    makespan,
    planned_hosts,
    planned_messages,
    planned_moves,
    planned_scale_in,
    read,
)
from fenix.simulation.running import SETTINGS
from fenix.store import Database, constraints, sessions
from fenix.store.tables import create_tables

PLAN = "plan"
"""The id of the session in the copy."""

LONGEST = 366 * 86400.0
"""Virtual seconds after which it is given up."""

NOTICE = 3600.0
"""Virtual seconds before `maintenance_at` at which a plan begins at the earliest: nothing but
waiting would come before."""

COLLECTING = 20_000, 20, 10
"""How rarely Python looks for garbage; see `gc.set_threshold`."""


def make_plan(order: PlanOrder) -> Plan:
    """Makes a plan, in virtual time and in this thread.

    Raises:
        InvalidField: see `fenix.engine.intake.create_session`.
    """
    with _little_collecting():
        return _make(order)


def _make(order: PlanOrder) -> Plan:
    plan = clock.run(_carry_out(order))
    if plan.feasible or order.assume.scale_in or not plan.scale_in:
        return plan
    # It needs a scale-in: how much would do?
    willing = replace(order, assume=replace(order.assume, scale_in=True))
    needed = clock.run(_carry_out(willing)).scale_in
    return replace(plan, scale_in=tuple(replace(one, assumed=False) for one in needed))


@contextmanager
def _little_collecting() -> Iterator[None]:
    """Has Python look for garbage more rarely: nearly all that a plan makes stays until its end,
    and looking at it again and again cost a quarter of the time."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTING)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _carry_out(order: PlanOrder) -> Plan:
    options = order.request.options
    earliest = order.request.maintenance_at - timedelta(seconds=max(NOTICE, options.reply_timeout))
    begin = max(order.now, earliest)
    loop = asyncio.get_running_loop()
    zero = loop.time()

    def now() -> datetime:
        return begin + timedelta(seconds=loop.time() - zero)

    world = copy_cloud(order.inventory, order.assume)
    log = EventLog(zero)
    world.listeners.append(log.record)
    database = Database("sqlite://")
    try:
        create_tables(database.engine)
        await database.write(lambda connection: _register(connection, order))
        await _run(order, world, log, database, now)
        carried = await database.read(lambda connection: read(connection, PLAN))
    finally:
        database.close()
    return _tell(order, carried, world, log)


def _register(connection: Connection, order: PlanOrder) -> None:
    present = order.inventory.instances  # others are stale
    known = {key: one for key, one in order.constraints.instances.items() if key in present}
    constraints.put_all(connection, replace(order.constraints, instances=known))


async def _run(
    order: PlanOrder,
    world: World,
    log: EventLog,
    database: Database,
    now: Callable[[], datetime],
) -> None:
    cloud = SimulatedCloud(world, now)
    async with asyncio.TaskGroup() as tasks:

        async def answer(reply: Reply) -> None:
            with contextlib.suppress(NotFound):
                await intake.accept_reply(database, reply, now())
            engine.wake()

        channel = ManagerChannel(describe(order), world, log, tasks, answer)
        work = HostWork(world, tasks)
        engine = Engine(Tools(database, cloud, [channel], work, now, SETTINGS), PLAN)
        request = copy_request(order.request, order.assume)
        await intake.create_session(database, cloud, request, PLAN, now(), session_id=PLAN)
        running = tasks.create_task(engine.run())
        async with asyncio.timeout(LONGEST):
            while True:
                session = await database.read(lambda connection: sessions.get(connection, PLAN))
                if session is None or not session.open:
                    break
                await asyncio.sleep(SETTINGS.loop_interval)
        running.cancel()


def _tell(order: PlanOrder, carried: Carried, world: World, log: EventLog) -> Plan:
    session = carried.session
    hosts = tuple(planned_hosts(carried))
    moves = tuple(planned_moves(carried, world))
    given = given_up(carried, order, log.events)
    scale_in = tuple(planned_scale_in(carried, order, given))
    begins_at = max(order.now, order.request.maintenance_at)
    ends_at = session.finished_at or session.updated_at
    return Plan(
        feasible=session.state is SessionState.MAINTENANCE_DONE,
        state=session.state,
        failed_state=session.failed_state,
        reason=session.reason,
        assume=order.assume,
        begins_at=begins_at,
        ends_at=ends_at,
        duration_seconds=max(0.0, (ends_at - begins_at).total_seconds()),
        makespan_seconds=makespan(hosts, moves),
        bounds=lower_bounds(describe(order), {one.id for one in given}),
        hosts=hosts,
        moves=moves,
        scale_in=scale_in,
        messages=tuple(planned_messages(carried)),
        notes=(*notes(order), *order.sources, *_assumed(order, scale_in)),
    )


def _assumed(order: PlanOrder, scale_in: Sequence[PlannedScaleIn]) -> Iterator[str]:
    if scale_in and order.assume.scale_in:
        asked = ", ".join(one.project_id for one in scale_in)
        yield f"That these projects scale in when they are asked is assumed: {asked}."
