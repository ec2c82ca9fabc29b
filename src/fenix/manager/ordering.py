"""Puts messages that overtook each other back in order.

Telemetry hands events of a burst to several workers, so that INSTANCE_ACTION_DONE of one instance
may come after the question about the next. Gaps in a session's numbers mean nothing (other projects
get messages, too), so all that can be done is to hold each message for a moment.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable

from fenix.manager.notice import Notice


class Reorder:
    """Holds messages back, and lets them go in their session's order.

    Args:
        seconds: how long each is held; 0: not at all.
        release: gets them.
    """

    def __init__(self, seconds: float, release: Callable[[Notice], None]) -> None:
        self._seconds = seconds
        self._release = release
        self._held: dict[str, list[tuple[int, str, Notice]]] = defaultdict(list)

    def add(self, notice: Notice) -> None:
        """Takes a message."""
        if notice.sequence is None or not self._seconds:
            self._release(notice)
            return
        heapq.heappush(self._held[notice.session_id], (notice.sequence, notice.id, notice))
        asyncio.get_running_loop().call_later(self._seconds, self._let_go, notice.session_id)

    def _let_go(self, session_id: str) -> None:
        # One goes for each that came, and always the earliest.
        held = self._held[session_id]
        _, _, notice = heapq.heappop(held)
        if not held:
            del self._held[session_id]
        self._release(notice)
