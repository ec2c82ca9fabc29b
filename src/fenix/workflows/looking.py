"""Looks at the cloud: until it shows what is expected, with a limit, and once for many."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from fenix.domain import Inventory
from fenix.workflows.base import Context

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=5)

T = TypeVar("T")


class Shared(Generic[T]):
    """Reads something large for all that ask while another read is under way.

    A thousand hosts that are each looked at would else read the whole cloud a thousand times. What
    somebody gets was always read after the question.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._one_at_a_time = asyncio.Lock()
        self._asked = 0
        self._answered = 0
        self._last: list[T] = []

    async def __call__(self) -> T:
        """What is read now; raises what the reading raises."""
        self._asked += 1
        mine = self._asked
        async with self._one_at_a_time:
            if self._answered < mine:
                asked = self._asked
                self._last = [await self._read()]
                self._answered = asked
            return self._last[0]


async def until(
    context: Context,
    shown: Callable[[Inventory], bool],
    seconds: float,
    who: str,
    what: str,
) -> Inventory | None:
    """Reads the inventory until it shows something.

    Args:
        shown: whether it does.
        seconds: for how long to look.
        who: for people: who has to do something.
        what: for people: what.

    Returns:
        The inventory that shows it, or None when none did in time.
    """
    end = context.now() + timedelta(seconds=seconds)
    pause = FIRST_PAUSE
    with context.waiting(who, what, end):
        while True:
            inventory = await context.inventory()
            if shown(inventory):
                return inventory
            if context.now() >= end:
                return None
            await context.sleep_until(min(end, context.now() + pause), f"look again: {what}")
            pause = min(2 * pause, LONGEST_PAUSE)
