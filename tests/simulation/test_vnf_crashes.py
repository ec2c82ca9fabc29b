"""A session of workflow `vnf` survives the death of its engine at any step.

See `fenix.simulation.each_step`; `fenix soak --each-step scenarios/crashes-6.json` does the same.
"""

import random
from functools import cache
from pathlib import Path

import pytest

from fenix.simulation.crashes import Gate
from fenix.simulation.each_step import Step, crash, steps
from fenix.simulation.loading import load
from fenix.simulation.scenario import Scenario
from tests.chunks import chunks
from tests.simulation.crashing import perform_with_crashes
from tests.simulation.databases import blank_database

CHUNKS = 16


@cache
def scenario() -> Scenario:
    """Six hosts: an active/standby pair, a group that recovers slowly, and single instances."""
    return load(Path(__file__).parents[2] / "scenarios" / "crashes-6.json")


@cache
def undisturbed() -> Gate:
    """What the engine does when nothing goes wrong."""
    return perform_with_crashes(scenario())[0][0]


def test_there_are_many_steps_of_each_kind() -> None:
    effects = set(undisturbed().effects)
    assert {"write", "message", "action", "cloud.inventory", "cloud.start_move"} < effects
    assert {"cloud.disable_host", "cloud.enable_host", "cloud.confirm_move"} < effects


@pytest.mark.parametrize("chunk", chunks(CHUNKS))
def test_a_crash_at_each_step_does_no_harm(chunk: int) -> None:
    found = {
        str(step): problems
        for step in steps(scenario(), blank_database())[chunk::CHUNKS]
        if (problems := crash(scenario(), [step], blank_database()))
    }
    assert found == {}


@pytest.mark.parametrize("seed", range(4))
def test_engines_may_die_one_after_the_other(seed: int) -> None:
    chance = random.Random(seed)
    most = len(undisturbed().effects)
    deaths = [Step(chance.randint(1, most // 3), chance.random() < 0.5) for _ in range(4)]
    assert crash(scenario(), deaths, blank_database()) == []
