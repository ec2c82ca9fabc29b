"""Random simulations in which much goes wrong, engines included; each must come to a good end.

A good end is MAINTENANCE_DONE, or a failure whose reason names its cause; without a violation of
any invariant, and never neither.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fenix.domain import (
    Constraints,
    Ending,
    HostState,
    Message,
    Session,
    SessionOptions,
    SilentPolicy,
    UnmanagedPolicy,
)
from fenix.engine import Engine, EngineSettings
from fenix.engine.reasons import leaves
from fenix.simulation import clock
from fenix.simulation.attack import Attack
from fenix.simulation.building import constraints_of, schedule_faults
from fenix.simulation.cloud_attacks import spoil
from fenix.simulation.crashes import Crashed, Gate
from fenix.simulation.manager_attacks import make_hostile, overdue
from fenix.simulation.random_scenarios import random_scenario
from fenix.simulation.running import Stage, create_session, set_stage, until_closed
from fenix.simulation.scenario import Scenario
from fenix.store import Database, constraints, messages, progress, sessions

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


ATTACKERS: Mapping[Attack, Callable[[int, Stage], None]] = {
    Attack.MANAGERS: make_hostile,
    Attack.CLOUD: spoil,
}


def run(seed: int, database: Database | None = None, *, attack: Attack | None = None) -> Run:
    """Runs the random simulation of a seed.

    Args:
        database: see `set_stage`.
        attack: who attacks; engines live then.
    """
    scenario, chance = random_scenario(seed), random.Random(f"engines of {seed}")
    deaths = [
        Gate(chance.randint(1, MOST_EFFECTS), chance.random() < 0.5)
        for _ in range(0 if attack else chance.choice([0, 0, 1, 1, 2, 3]))
    ]
    options = random_options(chance)
    try:
        prepare = partial(ATTACKERS[attack], seed) if attack else None
        demands = random_demands(scenario, random.Random(f"demands of {seed}"))
        played = clock.run(play(scenario, [*deaths, Gate()], options, database, prepare, demands))
    except Exception as error:
        told = [f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error)]
        return Run(seed, "", "", told)
    one = _judge(seed, played)
    if attack is Attack.MANAGERS:
        return replace(
            one,
            problems=[
                *one.problems,
                *overdue(played.messages, played.session.ending is Ending.FAILED),
            ],
        )
    return one


def random_options(chance: random.Random) -> SessionOptions:
    """What an administrator may have chosen."""
    return SessionOptions(
        unmanaged_projects=UnmanagedPolicy.MOVE,
        silent_projects=chance.choice(list(SilentPolicy)),
        second_moves=chance.choice([0.0, 0.1, 0.1, 1.0]),
        move_timeout=600.0,
        reply_timeout=300.0,
    )


def random_demands(scenario: Scenario, chance: random.Random) -> Constraints:
    """What applications register in addition to what a scenario can say."""
    known = constraints_of(scenario)
    often = chance.choice([0.0, 0.0, 0.3])

    def mitigated() -> bool:
        return chance.random() < often

    return Constraints(
        {
            ident: replace(
                one,
                resource_mitigation=mitigated(),
                max_interruption_time=chance.choice([0, 120, 120, 120]),
            )
            for ident, one in known.instances.items()
        },
        {
            ident: replace(one, resource_mitigation=mitigated())
            for ident, one in known.groups.items()
        },
    )


@dataclass(frozen=True)
class Played:
    """What is there when a session with mortal engines is over.

    Attributes:
        problems: what must not be, in words, whatever the session's end.
    """

    session: Session
    stage: Stage
    messages: Sequence[Message]
    problems: Sequence[str]


async def play(
    scenario: Scenario,
    gates: Sequence[Gate],
    options: SessionOptions | None = None,
    database: Database | None = None,
    prepare: Callable[[Stage], None] | None = None,
    demands: Constraints | None = None,
) -> Played:
    """Runs a scenario with an engine behind each gate, one after the other.

    Args:
        gates: the last one must let its engine live.
        database: see `set_stage`.
        prepare: changes the stage before the session is created.
        demands: the applications' constraints, where they are not those of the scenario.
    """
    async with asyncio.TaskGroup() as tasks:
        stage = await set_stage(scenario, tasks, database)
        stage.settings = replace(SETTINGS)
        if prepare is not None:
            prepare(stage)
        if demands is not None:
            await stage.database.write(partial(constraints.put_all, constraints=demands))
        schedule_faults(scenario, stage.world)
        session = await create_session(stage, None, options)
        engines = tasks.create_task(_engines(stage, gates))
        try:
            async with asyncio.timeout(LONGEST):
                await until_closed(stage, session.id)
            missing: list[str] = []
        except TimeoutError:
            missing = [f"it did not end within {LONGEST:.0f} s"]
        engines.cancel()
    return await _look(stage, session.id, missing)


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


async def _look(stage: Stage, session_id: str, problems: Sequence[str]) -> Played:
    session = await stage.database.read(lambda c: sessions.get(c, session_id))
    hosts = await stage.database.read(lambda c: progress.list_hosts(c, session_id))
    pending = await stage.database.read(lambda c: messages.count_pending(c, session_id))
    said = await stage.database.read(lambda c: messages.list_messages(c, session_id))
    assert session is not None
    if problems:
        return Played(session, stage, said, problems)
    by_state = {
        state: frozenset(host.name for host in hosts if host.state is state) for state in HostState
    }
    done = session.state == "MAINTENANCE_DONE"
    stage.invariants.at_end(done, by_state[HostState.FAILED], by_state[HostState.SKIPPED])
    undelivered = [f"{pending} messages are still to be delivered"] if pending else []
    return Played(session, stage, said, [*stage.invariants.violations, *undelivered])


def _judge(seed: int, played: Played) -> Run:
    session, scenario = played.session, played.stage.scenario
    reason = session.reason or ""
    if session.open:
        reason = "; ".join(f"{one['who']}: {one['what']}" for one in session.waiting_for)
        return Run(seed, session.state, reason, played.problems)
    problems = list(played.problems)
    problems += [
        f"action {plugin} ran {count} times on {host}"
        for (host, plugin), count in played.stage.actions.starts.items()
        if count > len(scenario.session.actions)
    ]
    if session.state != "MAINTENANCE_DONE" and not _names_a_cause(reason, scenario):
        problems.append(f"the reason names no cause: {reason!r}")
    return Run(seed, session.state, reason, problems)


def _names_a_cause(reason: str, scenario: Scenario) -> bool:
    """Whether a reason names a host, an instance or a project, and is no accident."""
    names = [host.name for host in scenario.hosts]
    names += [one.id for one in scenario.instances]
    names += [one.id for one in scenario.projects]
    names += [fault.appears.id for fault in scenario.faults if fault.appears]
    return any(name in reason for name in names)
