"""One run of a benchmark, in a process that does nothing else."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fenix.cli.measuring import measured
from fenix.clouds import CloudError
from fenix.domain.assumptions import Assumptions
from fenix.planning.rolling import Rolling
from fenix.planning.tasks import Decisions
from fenix.simulation import clock
from fenix.simulation.bench import Job, PlanJob, PlanRun, Run, broken_run, run_of
from fenix.simulation.building import build_world, constraints_of, session_request
from fenix.simulation.generate import generate
from fenix.simulation.plan import PlanOrder
from fenix.simulation.plan_making import make_plan
from fenix.simulation.policies import POLICIES
from fenix.simulation.report import report_of, with_choices
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from fenix.workflows import registry


def be_quiet() -> None:
    """Why a session failed is in its report; the log would only tear the progress bar."""
    logging.disable(logging.CRITICAL)


def measure(job: Job) -> Run:
    """Makes the scenario, simulates it and measures what that costs."""
    made = Scenario.model_validate(generate(job.family, job.size, job.seed))
    scenario = with_choices(made, job.workflow)
    broken, outcome = "", None
    with measured() as cost, registry.lent(POLICIES), _decisions() as decisions:
        try:
            outcome = clock.run(simulate(scenario))
        except ExceptionGroup as errors:
            # A scale-out at the end that finds no host: the cloud is too scattered for it.
            refused = errors.subgroup(CloudError)
            if refused is None:
                raise
            broken = str(refused.exceptions[0])
    if outcome is None:
        return broken_run(job, broken, cost.cpu_s, cost.peak_memory_mb)
    longest = max(decisions, default=0.0)
    return run_of(job, report_of(outcome), cost.cpu_s, cost.peak_memory_mb, longest)


@contextmanager
def _decisions() -> Iterator[list[float]]:
    """How long each planning decision of workflow `vnf` takes, in seconds of processor time."""
    found: list[float] = []
    decide = Rolling.decide

    def timed(rolling: Rolling, now: float) -> Decisions:
        begin = time.process_time()
        try:
            return decide(rolling, now)
        finally:
            found.append(time.process_time() - begin)

    Rolling.decide = timed  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        Rolling.decide = decide  # type: ignore[method-assign]


def measure_plan(job: PlanJob) -> PlanRun:
    """Makes a cloud, plans its maintenance and measures what that costs."""
    made = Scenario.model_validate(generate("region", job.hosts, 1))
    left = len(made.instances) - job.instances
    # Evenly, so that all hosts stay alike.
    gone = {round((n + 0.5) * len(made.instances) / left) for n in range(left)} if left > 0 else ()
    kept = tuple(one for n, one in enumerate(made.instances) if n not in gone)
    order = clock.run(_order(made.model_copy(update={"instances": kept})))
    with measured() as cost:
        plan = make_plan(order)
    return PlanRun(
        hosts=len(made.hosts),
        instances=len(kept),
        feasible=plan.feasible,
        moves=len(plan.moves),
        makespan_s=plan.makespan_seconds,
        lower_bound_s=round(plan.lower_bound_seconds, 3),
        wall_s=round(cost.wall_s, 3),
        cpu_s=round(cost.cpu_s, 3),
        peak_memory_mb=round(cost.peak_memory_mb, 1),
    )


async def _order(scenario: Scenario) -> PlanOrder:
    now = clock.EPOCH
    return PlanOrder(
        request=session_request(scenario, None, now),
        inventory=build_world(scenario).inventory(),
        constraints=constraints_of(scenario),
        reached=frozenset(one.id for one in scenario.projects if one.manager is not None),
        assume=Assumptions(),
        now=now,
    )
