"""Managers that do everything wrong change nothing that must hold (`fenix soak --attack`)."""

from datetime import timedelta

import pytest

from fenix.domain import Message
from fenix.simulation.attack import Attack
from fenix.simulation.clock import EPOCH
from fenix.simulation.manager_attacks import overdue
from fenix.simulation.soak import run
from tests.factories import make_message
from tests.simulation.databases import blank_database

SEEDS = [*range(1, 13), 17, 7515]
"""In 17 a silent instance is to make room on a host that was left already; in 7515 one that was
refused is to, for another kind of host."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_comes_to_a_good_end(seed: int) -> None:
    one = run(seed, blank_database(), attack=Attack.MANAGERS)
    assert one.problems == [], one.reason


def question(reply: str | None, late: float) -> Message:
    """A question that was closed some time after its deadline."""
    deadline = EPOCH + timedelta(seconds=60)
    return make_message(
        key="k",
        reply_by=deadline,
        reply={"state": reply},
        replied_at=deadline + timedelta(seconds=late),
    )


@pytest.mark.parametrize(
    ("reply", "late", "bad"),
    [
        (None, 0, False),
        (None, 30, True),
        (None, -1, True),
        ("ACK_MAINTENANCE", -30, False),
        ("ACK_MAINTENANCE", 30, True),
    ],
)
def test_what_is_overdue(reply: str | None, late: float, bad: bool) -> None:
    assert bool(overdue([question(reply, late)], failed=False)) is bad
    assert bool(overdue([question(reply, late)], failed=True)) is (bad and reply is None)
