"""Workflow `vnf` maintains every cloud that can be maintained at all."""

import pytest

from tests.simulation.play import perform
from tests.simulation.random_clouds import can_be_maintained, tiny_cloud

SEEDS, CHUNKS = 80, 4


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_can_be_maintained_is_and_nothing_else(chunk: int) -> None:
    wrong = []
    for seed in range(chunk, SEEDS, CHUNKS):
        cloud = tiny_cloud(seed)
        expected = "MAINTENANCE_DONE" if can_be_maintained(cloud) else "MAINTENANCE_FAILED"
        try:
            perform(cloud, state=expected)
        except AssertionError as error:
            wrong.append(f"seed {seed}: {error}")
    assert wrong == []


def test_the_clouds_are_of_both_kinds() -> None:
    possible = [can_be_maintained(tiny_cloud(seed)) for seed in range(60)]
    assert 15 < sum(possible) < 45
