"""The report of a simulation, checked against one that is made for it."""

from fenix.simulation.clock import run
from fenix.simulation.loading import load
from fenix.simulation.report import report_of
from fenix.simulation.running import simulate
from fenix_reference.events import SCENARIO
from fenix_reference.markdown import described, example, table

FIELDS = {
    "scenario": "its name",
    "workflow": "what carried it out",
    "state": "the session's last state",
    "total_s": "from the start to the end of the session, virtual seconds",
    "makespan_s": "from the first move or work on a host to the last host back, virtual seconds",
    "lower_bound_s": "no schedule has a shorter makespan",
    "ratio": "makespan by lower bound; null: the maintenance was not done, or nothing had to be",
    "moves": "moves that were started, failed ones included",
    "moves_lower_bound": "each instance that stays moves off its host once",
    "scaled_in": "instances that applications gave back",
    "peak_hosts_in_maintenance": "hosts that were worked on at one time",
    "messages": "messages that left, each counted once",
    "cloud_calls": "calls of the cloud, by kind",
    "violations": "what must never happen and did; see [invariants](../concepts/simulation.md)",
    "wall_s": "what it took in real time, seconds",
    "peak_memory_mb": "the most memory that the process had, MiB",
}


def page() -> str:
    """A table and an example."""
    report = report_of(run(simulate(load(SCENARIO)))).as_json(0.3, 120.0)
    return table(("field", "meaning"), described("report", FIELDS, list(report))) + example(report)
