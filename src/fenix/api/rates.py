"""How often each project may call, and how much at the same time; in this process."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fenix.domain import TooMany

KEPT = 10_000
"""Buckets that are kept before those that are full again are forgotten."""


class Rates:
    """Lets callers through at a rate, with bursts (a token bucket).

    Args:
        per_second: calls of each project in the long run; 0: no limit.
        burst: calls that a project may make at once after a rest.
        clock: seconds, which never go back.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, who: str) -> None:
        """Counts a call.

        Args:
            who: the project, or the user of a token without one.

        Raises:
            TooMany: it comes too early.
        """
        if not self._per_second:
            return
        now = self._clock()
        left = self._left(who, now)
        if left < 1:
            raise TooMany(
                f"More than {self._per_second:g} calls a second; the limit is "
                f"[api] requests_per_second, after a burst of requests_burst, {self._burst}.",
                retry_after=(1 - left) / self._per_second,
            )
        if len(self._buckets) >= KEPT:
            self._forget(now)
        self._buckets[who] = left - 1, now

    def _left(self, who: str, now: float) -> float:
        left, at = self._buckets.get(who, (float(self._burst), now))
        return min(float(self._burst), left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        full = [who for who in self._buckets if self._left(who, now) >= self._burst]
        for who in full:
            del self._buckets[who]


class Tests:
    """Lets tests of subscriptions begin: each waits for a receiver that may never answer.

    Args:
        at_once: how many at the same time.
        per_project: how many of these for one project.
    """

    def __init__(self, at_once: int, per_project: int) -> None:
        self._at_once = at_once
        self._per_project = per_project
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one(self, project_id: str) -> Iterator[None]:
        """Counts a test for as long as it goes on.

        Raises:
            TooMany: as many as there may be are under way.
        """
        if self._under_way[project_id] >= self._per_project:
            raise TooMany(
                f"{self._per_project} tests of subscriptions of project {project_id} are under "
                "way, which is the limit [api] tests_at_once_per_project."
            )
        if self._under_way.total() >= self._at_once:
            raise TooMany(
                f"{self._at_once} tests of subscriptions are under way, which is the limit "
                "[api] tests_at_once."
            )
        self._under_way[project_id] += 1
        try:
            yield
        finally:
            self._under_way -= Counter([project_id])  # which also forgets who has none left
