"""What came out of a simulation, in the numbers of the scenario format ("Report").

Everything is taken from what the simulated cloud and managers have recorded, and from what was
really called and sent; nothing from the engine's own books but the session's last state.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fenix.domain import SessionState
from fenix.simulation.bounds import Bound, binding, bounds, moves_bound, whole_hosts
from fenix.simulation.events import Event, replaces
from fenix.simulation.running import Outcome
from fenix.simulation.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one run; times in virtual seconds.

    Attributes:
        total_s: from the start to the end of the session.
        makespan_s: from the first move or work on a host to the last host back.
        bound: the lower bound that binds.
        possible: the same, if it is also counted that hosts are worked on whole.
        ratio: makespan by bound; None if the maintenance was not done, or nothing had to be.
        moves: moves that were started, failed ones included.
        second_moves: those of them that were not the first of their instance.
        scaled_in: instances that were taken away and not replaced at once.
        messages: messages that left, each counted once.
        cloud_calls: calls of the cloud's API by kind.
    """

    scenario: str
    workflow: str
    state: str
    reason: str
    total_s: float
    makespan_s: float
    bound: Bound
    possible: Bound
    ratio: float | None
    moves: int
    moves_lower_bound: int
    second_moves: int
    scaled_in: int
    peak_hosts_in_maintenance: int
    messages: int
    cloud_calls: dict[str, int]
    violations: Sequence[str]

    @property
    def good(self) -> bool:
        """Whether all was done and nothing happened that must not."""
        return self.state == SessionState.MAINTENANCE_DONE and not self.violations

    def as_json(self, wall_s: float, peak_memory_mb: float) -> dict[str, Any]:
        """The object of the report file.

        Args:
            wall_s: how long the simulation took in real time, s.
            peak_memory_mb: the most memory that its process had, MiB.
        """
        return {
            "scenario": self.scenario,
            "workflow": self.workflow,
            "state": self.state,
            "total_s": self.total_s,
            "makespan_s": self.makespan_s,
            "lower_bound_s": round(self.bound.seconds, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "moves": self.moves,
            "moves_lower_bound": self.moves_lower_bound,
            "scaled_in": self.scaled_in,
            "peak_hosts_in_maintenance": self.peak_hosts_in_maintenance,
            "messages": self.messages,
            "cloud_calls": dict(sorted(self.cloud_calls.items())),
            "violations": list(self.violations),
            "wall_s": round(wall_s, 3),
            "peak_memory_mb": round(peak_memory_mb, 1),
        }


def with_choices(
    scenario: Scenario, workflow: str | None = None, seed: int | None = None
) -> Scenario:
    """The scenario with another workflow or seed than its own."""
    session = scenario.session
    if workflow is not None:
        session = session.model_copy(update={"workflow": workflow})
    seed = scenario.seed if seed is None else seed
    return scenario.model_copy(update={"session": session, "seed": seed})


def report_of(outcome: Outcome) -> Report:
    """Sums up a run."""
    stage, session = outcome.stage, outcome.session
    scenario, events = stage.scenario, stage.log.events
    gone = _gone(events)
    bound = binding(bounds(scenario, gone))
    whole = whole_hosts(scenario, gone)
    makespan = _makespan(events)
    done = session.state is SessionState.MAINTENANCE_DONE
    moves = Counter(e["instance"] for e in events if e["event"] == "instance.move.started")
    return Report(
        scenario=scenario.name,
        workflow=session.request.workflow,
        state=str(session.state),
        reason=session.reason or "",
        total_s=_last(events, "session.state"),
        makespan_s=makespan,
        bound=bound,
        possible=max(bound, whole or bound, key=lambda each: each.seconds),
        ratio=makespan / bound.seconds if done and bound.seconds else None,
        moves=moves.total(),
        moves_lower_bound=moves_bound(scenario, gone),
        second_moves=sum(count - 1 for count in moves.values()),
        scaled_in=len(gone - {fault.vanishes for fault in scenario.faults}),
        peak_hosts_in_maintenance=stage.invariants.peak_hosts,
        messages=len({message.id for message in stage.channel.sent}),
        cloud_calls=dict(stage.cloud.calls),
        violations=tuple(outcome.violations),
    )


def _gone(events: Sequence[Event]) -> set[str]:
    """Instances that were taken away; not those that their manager has replaced (OWN_ACTION)."""
    found: set[str] = set()
    deleted = ""
    for event in events:
        if event["event"] == "instance.deleted":
            deleted = event["instance"]
            found.add(deleted)
        elif event["event"] == "instance.created" and deleted:
            if replaces(event["instance"], deleted):
                found.discard(deleted)
            deleted = ""
        else:
            deleted = ""
    return found


def _makespan(events: Sequence[Event]) -> float:
    begin = ("instance.move.started", "host.maintenance.started")
    end = ("host.maintenance.finished", "host.enabled")
    start = next((event["t"] for event in events if event["event"] in begin), None)
    if start is None:
        return 0.0
    back = max((event["t"] for event in events if event["event"] in end), default=start)
    return float(round(max(0.0, back - start), 6))


def _last(events: Sequence[Event], kind: str) -> float:
    return float(next((event["t"] for event in reversed(events) if event["event"] == kind), 0.0))
