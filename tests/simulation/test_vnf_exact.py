"""Workflow `vnf` gives up only where an exact solver knows no place for all instances either."""

import pytest

from fenix.domain import SessionState
from fenix.simulation import clock
from fenix.simulation.generate import generate
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from tests.simulation.packing import impossible

QUICK = ("telco", 8, 2), ("mixed", 8, 1), ("tight", 8, 1)
CASES = [
    case if case in QUICK else pytest.param(*case, marks=pytest.mark.services)
    for case in (
        (family, size, seed)
        for family, size in (("telco", 8), ("mixed", 8), ("tight", 8), ("tight", 10))
        for seed in (1, 2, 3, 4)
    )
]


@pytest.mark.parametrize(("family", "size", "seed"), CASES)
def test_it_gives_up_only_where_there_is_no_way(family: str, size: int, seed: int) -> None:
    scenario = Scenario.model_validate(generate(family, size, seed))
    done = clock.run(simulate(scenario)).session.state is SessionState.MAINTENANCE_DONE
    assert done == (impossible(scenario) is None)
