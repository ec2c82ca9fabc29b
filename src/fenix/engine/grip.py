"""The engine's hold on a session: its lease, and when it may still act under it.

An engine acts only while it knows that no other can have taken over: until `lease_seconds` after
it *began* its last successful renewal, less a margin. When the database is away it stalls until a
renewal succeeds, or until it learns that the lease is lost.
"""

import asyncio

from fenix.store import Lease, LeaseLost
from fenix.store.leases import MARGIN


class Grip:
    """One session's lease as its owner sees it. Times are the event loop's, in seconds."""

    def __init__(self, lease: Lease, lease_seconds: float, taken_at: float) -> None:
        self.lease = lease
        self._span = lease_seconds * MARGIN
        self._valid_until = taken_at + self._span
        self._lost = False
        self._news = asyncio.Event()

    def renewed(self, began_at: float) -> None:
        """A renewal that began at `began_at` has succeeded."""
        self._valid_until = max(self._valid_until, began_at + self._span)
        self._news.set()

    def holds(self, now: float) -> bool:
        """Whether an outward effect is allowed at this moment; from any thread."""
        return not self._lost and now < self._valid_until

    def lose(self) -> None:
        """Another engine has it, or this one must not go on."""
        self._lost = True
        self._news.set()

    async def assure(self) -> None:
        """Returns when an outward effect is allowed; to be called right before each.

        Raises:
            LeaseLost: it never will be again.
        """
        while not self._lost:
            if self.holds(asyncio.get_running_loop().time()):
                return
            self._news.clear()
            await self._news.wait()
        raise LeaseLost(f"session {self.lease.session_id}: the lease is lost")
