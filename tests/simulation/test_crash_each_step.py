"""Doctor's session survives the death of its engine at every single step."""

import random
from functools import cache

import pytest

from tests.simulation.crashing import Crash, Deeds, crash_points, failures, perform_with_crashes
from tests.simulation.scenes import doctor

CHUNKS = 16


@cache
def effects() -> list[str]:
    """What the engine does in a session in which nothing goes wrong."""
    gates, _ = perform_with_crashes(doctor())
    return gates[0].effects


@cache
def undisturbed() -> Deeds:
    """What such a session leaves behind."""
    return Deeds.of(perform_with_crashes(doctor())[1])


def crashed(*crashes: Crash) -> Deeds:
    """What is left behind when engines die."""
    return Deeds.of(perform_with_crashes(doctor(), *crashes)[1])


def test_there_are_many_steps_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    points = list(crash_points(effects()))
    with capsys.disabled():
        print(f"\n{len(points)} crash points in Doctor's session")  # noqa: T201
    assert len(points) > 150
    assert {"write", "message", "action"} < set(effects())
    assert {f"cloud.{call}" for call in ("disable_host", "start_move", "confirm_move")} < set(
        effects()
    )


def test_nothing_is_done_twice_even_without_a_crash() -> None:
    assert set(undisturbed().runs.values()) == {1}
    assert set(undisturbed().moves.values()) == {1}
    assert undisturbed().states[0] == "MAINTENANCE"
    assert undisturbed().states[-1] == "MAINTENANCE_DONE"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_crash_at_each_step_changes_nothing(chunk: int) -> None:
    points = list(crash_points(effects()))[chunk::CHUNKS]
    assert points
    assert failures(points, crashed, undisturbed()) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_second_engine_may_die_as_well(seed: int) -> None:
    chance = random.Random(seed)

    def crashed_twice(first: Crash) -> Deeds:
        second = Crash(chance.randint(1, 60), chance.random() < 0.5)
        return crashed(first, second)

    points = chance.sample(list(crash_points(effects())), 10)
    assert failures(points, crashed_twice, undisturbed()) == []
