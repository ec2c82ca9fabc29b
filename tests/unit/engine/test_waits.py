"""What a session waits for is shown while it waits, and no longer."""

import pytest
from tests.factories import at

from fenix.engine.waits import SHOWN, Waits


def test_a_wait_is_shown_as_long_as_it_lasts() -> None:
    waits = Waits(at)
    with waits.waiting("project p", "reply", at(10)), waits.waiting("cloud", "answer", None):
        assert waits.as_json() == [
            {
                "who": "project p",
                "what": "reply",
                "since": "2026-01-02T03:04:05",
                "until": "2026-01-02T03:04:15",
            },
            {"who": "cloud", "what": "answer", "since": "2026-01-02T03:04:05", "until": None},
        ]
    assert waits.as_json() == []


def test_a_wait_that_fails_is_over_too() -> None:
    waits = Waits(at)
    with pytest.raises(ValueError, match="odd"), waits.waiting("cloud", "answer", None):
        raise ValueError("odd")
    assert waits.as_json() == []


def test_of_many_waits_the_oldest_are_shown() -> None:
    waits = Waits(at)
    blocks = [waits.waiting(f"host {number}", "be empty", None) for number in range(SHOWN + 5)]
    for block in blocks:
        block.__enter__()
    blocks[0].__exit__(None, None, None)
    assert [wait["who"] for wait in waits.as_json()] == [
        f"host {number}" for number in range(1, SHOWN + 1)
    ]
