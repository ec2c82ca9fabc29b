"""The port over a simulated cloud in the same process."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from fenix.clouds.base import MovePhase, MoveStatus, MoveTicket
from fenix.clouds.simulated.world import World
from fenix.domain import Inventory, MoveAction

EARLIER = 1.0
"""Seconds by which a move may seem to begin before it was intended: databases round."""


def _real_time() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class SimulatedCloud:
    """Implements `fenix.clouds.Cloud`.

    Args:
        now: the time of day, naive UTC, that goes on with the event loop's time.

    Attributes:
        calls: how often each method was called.
    """

    def __init__(self, world: World, now: Callable[[], datetime] = _real_time) -> None:
        self.world = world
        self._now = now
        self.calls: Counter[str] = Counter()

    async def inventory(self) -> Inventory:
        """See `Cloud.inventory`."""
        self.calls["inventory"] += 1
        return self.world.inventory()

    async def inventory_of(self, host: str) -> Inventory:
        """See `Cloud.inventory_of`."""
        self.calls["inventory_of"] += 1
        return self.world.inventory_of(host)

    async def disable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.disable_host`."""
        self.calls["disable_host"] += 1
        return self.world.disable_host(host, reason)

    async def enable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.enable_host`."""
        self.calls["enable_host"] += 1
        return self.world.enable_host(host, reason)

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        """See `Cloud.start_move`."""
        self.calls["start_move"] += 1
        self.world.start_move(instance_id, action, target)

    async def confirm_move(self, instance_id: str) -> None:
        """See `Cloud.confirm_move`."""
        self.calls["confirm_move"] += 1
        self.world.confirm_move(instance_id)

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `Cloud.watch_moves`; returns as soon as any move of the world ends."""
        self.calls["watch_moves"] += 1
        found = self._ended(tickets)
        if not found and wait:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self.world.changed.wait()
            found = self._ended(tickets)
        return found

    def _ended(self, tickets: Collection[MoveTicket]) -> list[MoveStatus]:
        now, time = self._now(), asyncio.get_running_loop().time()
        statuses = (self._status(ticket, now, time) for ticket in tickets)
        return [status for status in statuses if status.phase is not MovePhase.RUNNING]

    async def delete_instance(self, instance_id: str) -> None:
        """See `Cloud.delete_instance`."""
        self.calls["delete_instance"] += 1
        self.world.delete_instance(instance_id)

    async def close(self) -> None:
        """See `Cloud.close`."""

    def _status(self, ticket: MoveTicket, now: datetime, time: float) -> MoveStatus:
        instance = self.world.instances.get(ticket.instance_id)
        if instance is None:
            return MoveStatus(ticket.instance_id, MovePhase.GONE)
        moves = self.world.moves_of.get(ticket.instance_id, ())
        earliest = time - (now - ticket.started_at).total_seconds() - EARLIER
        for move in reversed(moves):
            if move.id not in ticket.known and move.started_at >= earliest:
                return MoveStatus(instance.id, move.phase, instance.host, move.id, move.detail)
        return MoveStatus(instance.id, MovePhase.NOT_STARTED, instance.host)
