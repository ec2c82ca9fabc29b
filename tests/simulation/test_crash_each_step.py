"""Doctor's session survives the death of its engine at every single step."""

import random
from functools import cache

import pytest

from fenix.simulation.crashes import Gate
from tests.chunks import chunks
from tests.simulation.crashing import Crash, Deeds, crash_points, failures, perform_with_crashes
from tests.simulation.scenes import doctor

CHUNKS = 16


@cache
def undisturbed() -> tuple[Gate, Deeds]:
    """What the engine does in a session in which nothing goes wrong, and what that leaves."""
    gates, ending = perform_with_crashes(doctor())
    return gates[0], Deeds.of(ending)


def points() -> list[Crash]:
    """All moments at which the engine may die."""
    return list(crash_points(undisturbed()[0]))


def crashed(*crashes: Crash) -> Deeds:
    """What is left behind when engines die."""
    return Deeds.of(perform_with_crashes(doctor(), *crashes)[1])


def test_there_are_many_steps_of_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    effects = set(undisturbed()[0].effects)
    with capsys.disabled():
        print(f"\n{len(points())} crash points in Doctor's session")  # noqa: T201
    assert len(points()) > 150
    assert {"write", "message", "action", "cloud.inventory"} < effects
    assert {"cloud.disable_host", "cloud.enable_host"} < effects
    assert {"cloud.start_move", "cloud.confirm_move"} < effects


def test_nothing_is_done_twice_even_without_a_crash() -> None:
    _, deeds = undisturbed()
    assert set(deeds.runs.values()) == {1}
    assert set(deeds.moves.values()) == {1}
    assert (deeds.states[0], deeds.states[-1]) == ("MAINTENANCE", "MAINTENANCE_DONE")


@pytest.mark.parametrize("chunk", chunks(CHUNKS))
def test_a_crash_at_each_step_changes_nothing(chunk: int) -> None:
    mine = points()[chunk::CHUNKS]
    assert mine
    assert failures(mine, crashed, undisturbed()[1]) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_second_engine_may_die_as_well(seed: int) -> None:
    chance = random.Random(seed)

    def crashed_twice(first: Crash) -> Deeds:
        second = Crash(chance.randint(1, 60), chance.random() < 0.5)
        return crashed(first, second)

    firsts = chance.sample(points(), 10)
    assert failures(firsts, crashed_twice, undisturbed()[1]) == []
