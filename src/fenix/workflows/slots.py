"""Limits how many moves are under way at one time: in the cloud, and on each host."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MoveSlots:
    """Counts moves.

    Args:
        total: moves at one time in the whole cloud; None: no limit.
        per_host: moves at one time that a host is source or target of; None: no limit.
    """

    def __init__(self, total: int | None, per_host: int | None) -> None:
        self._total = total
        self._per_host = per_host
        self._under_way = 0
        self._on: Counter[str] = Counter()
        self._closed = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, *hosts: str) -> AsyncIterator[bool]:
        """Waits until a move between these hosts is allowed, and counts it for the block.

        Gives False when no move may begin any more; see `close`.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self._allowed(hosts))
            self._under_way += 1
            self._on.update(hosts)
        try:
            yield not self._closed
        finally:
            async with self._changed:
                self._under_way -= 1
                self._on.subtract(hosts)
                self._changed.notify_all()

    async def close(self) -> None:
        """Lets no move begin any more."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _allowed(self, hosts: tuple[str, ...]) -> bool:
        if self._total is not None and self._under_way >= self._total:
            return False
        return self._per_host is None or all(self._on[name] < self._per_host for name in hosts)
