"""How often each project may call: a bucket of tokens for each, in this process."""

import time
from collections.abc import Callable

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
