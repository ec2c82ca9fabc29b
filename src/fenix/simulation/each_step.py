"""Kills the engine at each single step of a session: another one must bring it to a good end.

Which host comes first after a restart may differ, since decisions are made anew from the cloud as
it is. So what must be the same is not the moves: the session is done, each move and action is made
once, and each message has one id (design, "Invariants").
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fenix.domain import ActionType, ProjectState
from fenix.engine.reasons import leaves
from fenix.simulation import clock
from fenix.simulation.crashes import Gate
from fenix.simulation.scenario import Scenario
from fenix.simulation.soak import Played, play
from fenix.store import Database


@dataclass(frozen=True, slots=True)
class Step:
    """A moment at which an engine dies.

    Attributes:
        number: of one of its effects, from 1.
        after: it has just had the effect; else it is just about to.
    """

    number: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} effect {self.number}"


def steps(scenario: Scenario, database: Database | None = None) -> list[Step]:
    """All steps of a scenario's session: each effect of its engine, just before and just after it.

    Args:
        database: see `fenix.simulation.running.set_stage`.

    Raises:
        RuntimeError: the session comes to no good end even if no engine dies.
    """
    gate = Gate()
    if found := problems(scenario, clock.run(play(scenario, [gate], database=database))):
        raise RuntimeError("; ".join(found))
    return [Step(n, after) for n in range(1, len(gate.effects) + 1) for after in (False, True)]


def crash(scenario: Scenario, at: Sequence[Step], database: Database | None = None) -> list[str]:
    """Runs a scenario with engines that die one after the other, and a last one that lives.

    Returns:
        What must not be, in words.
    """
    gates = [*(Gate(step.number, step.after) for step in at), Gate()]
    try:
        return problems(scenario, clock.run(play(scenario, gates, database=database)))
    except Exception as error:
        return [f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error)]


def problems(scenario: Scenario, played: Played) -> list[str]:
    """What is not as it has to be after a session that nothing but crashes has disturbed."""
    if played.session.state != "MAINTENANCE_DONE":
        return [f"it ends in {played.session.state}: {played.session.reason}"]
    events, starts = played.stage.log.events, played.stage.actions.starts
    found = list(played.problems)
    found += [
        f"action {plugin} ran {count} times on {subject}"
        for (subject, plugin), count in starts.items()
        if count != _runs(scenario, subject)
    ]
    asked = Counter(
        (event["instances"][0], event["state"], event["t"])
        for event in events
        if event["event"] == "project.notified" and event["state"] in _QUESTIONS
    )
    found += [f"asked {count} times at once: {one}" for one, count in asked.items() if count > 1]
    managed = {one.id for one in scenario.projects if one.manager is not None}
    projects = {one.id: one.project for one in scenario.instances}
    moved = Counter(
        event["instance"]
        for event in events
        if event["event"] == "instance.move.finished"
        and event["ok"]
        and projects.get(event["instance"]) in managed
    )
    told = Counter(
        event["instances"][0]
        for event in events
        if event["event"] == "project.notified"
        and event["state"] == ProjectState.INSTANCE_ACTION_DONE
    )
    found += [
        f"instance {ident} was moved {moved[ident]} times, its manager was told {told[ident]} times"
        for ident in sorted({*moved, *told})
        if moved[ident] != told[ident]
    ]
    return found


_QUESTIONS = (ProjectState.PREPARE_MAINTENANCE, ProjectState.PLANNED_MAINTENANCE)


def _runs(scenario: Scenario, subject: str) -> int:
    """How often an action is run on a host, or around the session."""
    hosts = {host.name: host.type for host in scenario.hosts}
    if subject not in hosts:
        return sum(one.type == subject for one in scenario.session.actions)
    kinds = (ActionType.HOST, ActionType(hosts[subject]))
    return sum(one.type in kinds for one in scenario.session.actions)
