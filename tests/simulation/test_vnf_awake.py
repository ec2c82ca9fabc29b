"""Workflow `vnf` looks only at hosts for which something has changed, and misses nothing."""

import pytest

from fenix.planning.rolling import Rolling
from fenix.planning.tasks import Decisions
from fenix.simulation import clock
from fenix.simulation.generate import generate
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from fenix.simulation.soak import run
from tests.simulation.databases import blank_database


@pytest.fixture
def missed(monkeypatch: pytest.MonkeyPatch) -> list[Decisions]:
    """What could have started, and did not before all hosts were looked at."""
    found: list[Decisions] = []
    decide = Rolling.decide

    def and_look_at_all(rolling: Rolling, now: float) -> Decisions:
        decisions = decide(rolling, now)
        if not decisions:
            drains = rolling._drains
            drains._awake.update(drains._of)
            if more := decide(rolling, now):
                found.append(more)
        return decisions

    monkeypatch.setattr(Rolling, "decide", and_look_at_all)
    return found


@pytest.mark.parametrize(("family", "size"), [("telco", 12), ("it", 10)])
def test_in_clouds_of_each_kind(missed: list[Decisions], family: str, size: int) -> None:
    scenario = Scenario.model_validate(generate(family, size, 1))
    assert clock.run(simulate(scenario)).session.state == "MAINTENANCE_DONE"
    assert missed == []


def test_in_sessions_in_trouble(missed: list[Decisions]) -> None:
    assert [
        one for one in (run(seed, blank_database()) for seed in range(10)) if one.problems
    ] == []
    assert missed == []
