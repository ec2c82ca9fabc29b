"""What limits a plan, whoever makes it: the bounds of the copy's scenario, the highest first."""

from collections.abc import Collection

from fenix.simulation.bounds import bounds
from fenix.simulation.plan import PlannedBound
from fenix.simulation.scenario import Scenario


def lower_bounds(scenario: Scenario, gone: Collection[str]) -> tuple[PlannedBound, ...]:
    """The lower bounds of the makespan in seconds, each with a sentence that says why.

    Args:
        gone: ids of the instances that a scale-in takes away.
    """
    found = [PlannedBound(one.name, one.seconds, one.sentence) for one in bounds(scenario, gone)]
    return tuple(sorted(found, key=lambda one: -one.seconds))
