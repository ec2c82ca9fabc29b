"""Random simulations in which much goes wrong, engines included; each must come to a good end.

A good end is MAINTENANCE_DONE, or a failure whose reason names its cause; without a violation of
any invariant, and never neither.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fenix.domain import HostState, SessionOptions, SilentPolicy, UnmanagedPolicy
from fenix.engine import Engine, EngineSettings
from fenix.engine.reasons import leaves
from fenix.simulation import clock
from fenix.simulation.building import schedule_faults
from fenix.simulation.crashes import Crashed, Gate
from fenix.simulation.random_scenarios import random_scenario
from fenix.simulation.running import Stage, create_session, set_stage, until_closed
from fenix.simulation.scenario import Scenario
from fenix.store import Database, progress, sessions

LONGEST = 2 * 86400.0
"""Virtual seconds in which a small session must come to its end."""

SETTINGS = EngineSettings(machine="soak", loop_interval=300.0, lease_seconds=900.0)
"""Wakes come at once: looking often would only cost time."""

MOST_EFFECTS = 200


@dataclass(frozen=True)
class Run:
    """How one random simulation ended.

    Attributes:
        state: the session's last state; empty if it came to none.
        problems: what must not be, in words; empty: it was a good end.
    """

    seed: int
    state: str
    reason: str
    problems: Sequence[str]


def run(seed: int, database: Database | None = None) -> Run:
    """Runs the random simulation of a seed.

    Args:
        database: see `set_stage`.
    """
    try:
        return clock.run(_play(seed, random_scenario(seed), database))
    except Exception as error:
        told = [f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error)]
        return Run(seed, "", "", told)


def random_options(chance: random.Random) -> SessionOptions:
    """What an administrator may have chosen."""
    return SessionOptions(
        unmanaged_projects=UnmanagedPolicy.MOVE,
        silent_projects=chance.choice(list(SilentPolicy)),
        second_moves=chance.choice([0.0, 0.1, 0.1, 1.0]),
        move_timeout=600.0,
        reply_timeout=300.0,
    )


async def _play(seed: int, scenario: Scenario, database: Database | None) -> Run:
    chance = random.Random(f"engines of {seed}")
    deaths = [
        Gate(chance.randint(1, MOST_EFFECTS), chance.random() < 0.5)
        for _ in range(chance.choice([0, 0, 1, 1, 2, 3]))
    ]
    async with asyncio.TaskGroup() as tasks:
        stage = await set_stage(scenario, tasks, database)
        stage.settings = replace(SETTINGS)
        schedule_faults(scenario, stage.world)
        session = await create_session(stage, None, random_options(chance))
        engines = tasks.create_task(_engines(stage, [*deaths, Gate()]))
        try:
            async with asyncio.timeout(LONGEST):
                await until_closed(stage, session.id)
            missing: list[str] = []
        except TimeoutError:
            missing = [f"it did not end within {LONGEST:.0f} s"]
        engines.cancel()
    return await _judge(stage, seed, session.id, missing)


async def _engines(stage: Stage, gates: Sequence[Gate]) -> None:
    """Engines that die one after the other, and a last one that lives."""
    for number, gate in enumerate(gates, 1):
        engine = Engine(gate.around(stage.tools()), f"engine-{number}")
        stage.engines.append(engine)
        living = asyncio.ensure_future(engine.run())
        dying = asyncio.ensure_future(gate.died.wait())
        try:
            await asyncio.wait([living, dying], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stage.engines.remove(engine)
            dying.cancel()
            living.cancel()
            await asyncio.wait([living])
        if not living.cancelled() and (error := living.exception()):
            unexpected = [leaf for leaf in leaves(error) if not isinstance(leaf, Crashed)]
            if unexpected:
                raise unexpected[0]


async def _judge(stage: Stage, seed: int, session_id: str, problems: list[str]) -> Run:
    session = await stage.database.read(lambda c: sessions.get(c, session_id))
    hosts = await stage.database.read(lambda c: progress.list_hosts(c, session_id))
    assert session is not None
    if problems:
        told = "; ".join(f"{one['who']}: {one['what']}" for one in session.waiting_for)
        return Run(seed, session.state, told, problems)
    done = session.state == "MAINTENANCE_DONE"
    by_state = {
        state: frozenset(host.name for host in hosts if host.state is state) for state in HostState
    }
    stage.invariants.at_end(done, by_state[HostState.FAILED], by_state[HostState.SKIPPED])
    problems = [*problems, *stage.invariants.violations]
    problems += [
        f"action {plugin} ran {count} times on {host}"
        for (host, plugin), count in stage.actions.starts.items()
        if count > _runs(stage.scenario, host)
    ]
    reason = session.reason or ""
    if not done and not _names_a_cause(reason, stage.scenario):
        problems.append(f"the reason names no cause: {reason!r}")
    return Run(seed, session.state, reason, problems)


def _runs(scenario: Scenario, host: str) -> int:
    return len(scenario.session.actions)


def _names_a_cause(reason: str, scenario: Scenario) -> bool:
    """Whether a reason names a host, an instance or a project, and is no accident."""
    names = [host.name for host in scenario.hosts]
    names += [one.id for one in scenario.instances]
    names += [one.id for one in scenario.projects]
    names += [fault.appears.id for fault in scenario.faults if fault.appears]
    return any(name in reason for name in names)
