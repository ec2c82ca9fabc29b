"""One run of a benchmark, in a process that does nothing else."""

import logging

from fenix.cli.measuring import measured
from fenix.clouds import CloudError
from fenix.simulation import clock
from fenix.simulation.bench import Job, Run, broken_run, run_of
from fenix.simulation.generate import generate
from fenix.simulation.policies import POLICIES
from fenix.simulation.report import report_of, simulate_observed, with_choices
from fenix.simulation.scenario import Scenario
from fenix.workflows import registry


def measure(job: Job) -> Run:
    """Makes the scenario, simulates it and measures what that costs."""
    # Why a session failed is in its report; the log would only tear the progress bar.
    logging.disable(logging.CRITICAL)
    made = Scenario.model_validate(generate(job.family, job.size, job.seed))
    scenario = with_choices(made, job.workflow)
    broken, outcome = "", None
    with measured() as cost, registry.lent(POLICIES):
        try:
            outcome = clock.run(simulate_observed(scenario))
        except ExceptionGroup as errors:
            # A scale-out at the end that finds no host: the cloud is too scattered for it.
            refused = errors.subgroup(CloudError)
            if refused is None:
                raise
            broken = str(refused.exceptions[0])
    if outcome is None:
        return broken_run(job, broken, cost.cpu_s, cost.peak_memory_mb)
    return run_of(job, report_of(outcome), cost.cpu_s, cost.peak_memory_mb)
