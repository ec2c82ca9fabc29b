"""Random sessions in which much goes wrong come to a good end (see `fenix.simulation.soak`)."""

import pytest

from fenix.simulation.soak import run
from tests.simulation.databases import blank_database

SEEDS, CHUNKS = 240, 16


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_each_comes_to_a_good_end(chunk: int) -> None:
    runs = [run(seed, blank_database()) for seed in range(chunk, SEEDS, CHUNKS)]
    assert [one for one in runs if one.problems] == []
    assert {one.state for one in runs} == {"MAINTENANCE_DONE", "MAINTENANCE_FAILED"}


def test_what_is_built_anew_is_no_gift() -> None:
    """In 7227 a manager builds its instance anew whenever it was moved, later than it may."""
    assert run(7227, blank_database()).problems == []


def test_a_seed_always_gives_the_same() -> None:
    assert run(7, blank_database()) == run(7, blank_database())
