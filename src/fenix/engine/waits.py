"""Keeps what a session waits for, for people to see."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from fenix.domain.waiting import WaitingFor
from fenix.engine.state import Now

SHOWN = 20
"""How many waits are kept; a thousand hosts may each wait for something."""


class Waits:
    """The waits of one session."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._waits: dict[int, WaitingFor] = {}
        self._count = 0

    @contextmanager
    def waiting(self, who: str, what: str, until: datetime | None) -> Iterator[None]:
        """See `fenix.workflows.Context.waiting`."""
        self._count += 1
        token = self._count
        self._waits[token] = WaitingFor(who, what, self._now(), until)
        try:
            yield
        finally:
            del self._waits[token]

    def as_json(self) -> list[dict[str, Any]]:
        """The oldest waits, in the form in which they are kept."""
        return [wait.as_json() for wait in islice(self._waits.values(), SHOWN)]
