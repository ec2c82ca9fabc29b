"""What is measured to judge the planner, and how runs are summed up; nothing is run here.

A result is told as a ratio: makespan by lower bound says how much there was to gain at most, and a
policy's makespan by the workflow's how much was gained.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fenix.domain import SessionState
from fenix.simulation.report import Report


class Case(NamedTuple):
    """A family of scenarios in one size."""

    family: str
    size: int


CASES = (
    Case("doctor", 3),
    Case("doctor", 10),
    Case("telco", 24),
    Case("telco", 100),
    Case("tight", 50),
    Case("mixed", 40),
    Case("it", 200),
    Case("region", 100),
)
LARGE = (Case("region", 1000),)
POLICIES_UP_TO = 100
"""Hosts of the largest case in which policies run as well, unless all is asked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Attributes:
        workflow: of a workflow or a policy.
    """

    family: str
    size: int
    seed: int
    workflow: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run that has ended; times in virtual seconds.

    Attributes:
        ratio: makespan by lower bound; None if the maintenance was not done.
        possible_s: the lower bound if it is also counted that hosts are worked on whole.
        cpu_s: processor time of engine and simulation, s.
        decision_s: the longest planning decision of the workflow `vnf`, s.
        peak_memory_mb: of its process, MiB.
    """

    family: str
    size: int
    seed: int
    workflow: str
    state: str
    reason: str
    makespan_s: float
    lower_bound_s: float
    binding: str
    ratio: float | None
    moves: int
    moves_lower_bound: int
    second_moves: int
    scaled_in: int
    violations: int
    cpu_s: float
    peak_memory_mb: float
    decision_s: float = 0.0
    possible_s: float = 0.0

    @property
    def done(self) -> bool:
        """Whether the maintenance was carried out."""
        return self.state == SessionState.MAINTENANCE_DONE


@dataclass(frozen=True, slots=True)
class PlanJob:
    """A plan of a cloud, made as `fenix plan` does.

    Attributes:
        hosts: of a cloud of family `region`.
        instances: how many of its instances are there.
    """

    hosts: int = 5000
    instances: int = 30_000


@dataclass(frozen=True, slots=True)
class PlanRun:
    """What a plan costs; the times of the plan itself are in virtual seconds."""

    hosts: int
    instances: int
    feasible: bool
    moves: int
    makespan_s: float
    lower_bound_s: float
    wall_s: float
    cpu_s: float
    peak_memory_mb: float


def run_of(
    job: Job, report: Report, cpu_s: float, peak_memory_mb: float, decision_s: float = 0.0
) -> Run:
    """What of a report is compared."""
    return Run(
        family=job.family,
        size=job.size,
        seed=job.seed,
        workflow=job.workflow,
        state=report.state,
        reason=report.reason,
        makespan_s=report.makespan_s,
        lower_bound_s=round(report.bound.seconds, 3),
        binding=report.bound.name,
        ratio=report.ratio,
        moves=report.moves,
        moves_lower_bound=report.moves_lower_bound,
        second_moves=report.second_moves,
        scaled_in=report.scaled_in,
        violations=len(report.violations),
        cpu_s=round(cpu_s, 3),
        peak_memory_mb=round(peak_memory_mb, 1),
        decision_s=round(decision_s, 6),
        possible_s=round(report.possible.seconds, 3),
    )


def broken_run(job: Job, reason: str, cpu_s: float, peak_memory_mb: float) -> Run:
    """A run that left the simulated cloud in a state in which nothing can go on."""
    return Run(
        family=job.family,
        size=job.size,
        seed=job.seed,
        workflow=job.workflow,
        state=str(SessionState.MAINTENANCE_FAILED),
        reason=reason,
        makespan_s=0.0,
        lower_bound_s=0.0,
        binding="",
        ratio=None,
        moves=0,
        moves_lower_bound=0,
        second_moves=0,
        scaled_in=0,
        violations=0,
        cpu_s=round(cpu_s, 3),
        peak_memory_mb=round(peak_memory_mb, 1),
    )


def jobs(
    families: Collection[str], seeds: int, workflow: str, policies: Iterable[str], large: bool
) -> list[Job]:
    """All runs, the workflow's before the policies' in each case.

    Args:
        families: which to take; empty: all.
        seeds: how many scenarios of each case; of the largest there is only one.
        large: also the largest case, and policies in all cases.
    """
    compared = list(policies)
    return [
        Job(case.family, case.size, seed, name)
        for case in (*CASES, *(LARGE if large else ()))
        if not families or case.family in families
        for name in (workflow, *(compared if large or case.size <= POLICIES_UP_TO else ()))
        for seed in range(1, (1 if case in LARGE else seeds) + 1)
    ]


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None: there is nothing."""
    return sum(values) / len(values) if values else None


def geometric_mean(values: Sequence[float]) -> float | None:
    """The geometric mean of positive values; None: there is nothing."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def by_case(runs: Iterable[Run], workflow: str) -> Mapping[Case, list[Run]]:
    """The runs of one workflow or policy, in the order of the cases."""
    found: dict[Case, list[Run]] = {}
    for run in runs:
        if run.workflow == workflow:
            found.setdefault(Case(run.family, run.size), []).append(run)
    return found


def growth(runs: Iterable[Run], workflow: str) -> Mapping[str, tuple[Case, Case, float]]:
    """How the cost grows with the hosts, for each family with more than one size.

    Returns:
        The smallest and the largest case, and the exponent: the processor time is as the hosts to
        the power of it between these.
    """
    sizes: dict[str, list[tuple[Case, float]]] = {}
    for case, mine in by_case(runs, workflow).items():
        sizes.setdefault(case.family, []).append((case, mean([run.cpu_s for run in mine]) or 0.0))
    found = {}
    for family, costs in sizes.items():
        (small, less), *_, (large, more) = sorted(costs) if len(costs) > 1 else [*costs, *costs]
        if large.size > small.size and less and more:
            found[family] = (small, large, math.log(more / less, large.size / small.size))
    return found


def gains(runs: Sequence[Run], workflow: str, policy: str) -> Mapping[Case, float]:
    """How much longer a policy takes than the workflow, as a geometric mean for each case.

    Only scenarios count that both have carried out.
    """
    mine = {(run.family, run.size, run.seed): run for run in runs if run.workflow == workflow}
    found: dict[Case, list[float]] = {}
    for run in runs:
        other = mine.get((run.family, run.size, run.seed))
        if run.workflow == policy and other and run.done and other.done and other.makespan_s:
            ratio = run.makespan_s / other.makespan_s
            found.setdefault(Case(run.family, run.size), []).append(ratio)
    return {case: math.exp(sum(map(math.log, r)) / len(r)) for case, r in found.items()}
