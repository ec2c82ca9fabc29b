"""A cloud whose API is out of order: answers fail, get lost, are late, or are those of before."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from fenix.clouds import Cloud, CloudError, CloudUnavailable, MoveStatus, MoveTicket
from fenix.domain import Inventory, MoveAction
from fenix.simulation.running import Stage

T = TypeVar("T")

UNAVAILABLE = 0.10
"""Share of calls that are answered with a passing error and do nothing."""
LOST = 0.05
"""Share of calls that do their work, and whose answer is lost."""
REFUSED = 0.05
"""Share of moves that are refused for good, as by 409."""
STALE = 0.10
"""Share of inventories that are the one before, and of looks at moves that show nothing new."""
LAG = 9.0
"""Seconds that an inventory may be old."""

PASSING = ("500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests",
           "no answer in time")  # fmt: skip


class HostileCloud:
    """Does as another cloud does, not always, and does not always say so."""

    def __init__(self, inner: Cloud, chance: random.Random) -> None:
        self._inner = inner
        self._chance = chance
        self._before: tuple[float, Inventory] | None = None

    async def inventory(self) -> Inventory:
        """See `Cloud.inventory`."""
        now = asyncio.get_running_loop().time()
        if self._before and now - self._before[0] <= LAG and self._happens(STALE):
            return self._before[1]
        found = await self._call(self._inner.inventory)
        self._before = now, found
        return found

    async def inventory_of(self, host: str) -> Inventory:
        """See `Cloud.inventory_of`."""
        return await self._call(lambda: self._inner.inventory_of(host))

    async def disable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.disable_host`."""
        return await self._call(lambda: self._inner.disable_host(host, reason))

    async def enable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.enable_host`."""
        return await self._call(lambda: self._inner.enable_host(host, reason))

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        """See `Cloud.start_move`."""
        if self._happens(REFUSED):
            raise CloudError(f"409 Conflict: instance {instance_id} is busy")
        await self._call(lambda: self._inner.start_move(instance_id, action, target))

    async def confirm_move(self, instance_id: str) -> None:
        """See `Cloud.confirm_move`."""
        await self._call(lambda: self._inner.confirm_move(instance_id))

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `Cloud.watch_moves`."""
        found = await self._call(lambda: self._inner.watch_moves(tickets, wait))
        return [] if self._happens(STALE) else found

    async def delete_instance(self, instance_id: str) -> None:
        """See `Cloud.delete_instance`."""
        await self._call(lambda: self._inner.delete_instance(instance_id))

    async def close(self) -> None:
        """See `Cloud.close`."""
        await self._inner.close()

    async def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        if self._happens(UNAVAILABLE):
            raise CloudUnavailable(self._chance.choice(PASSING))
        answer = await work()
        if self._happens(LOST):
            raise CloudUnavailable("the answer was lost")
        return answer

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share


def spoil(seed: int, stage: Stage) -> None:
    """Gives engines such a cloud in the place of the one that there is."""
    stage.spoilt = HostileCloud(stage.cloud, random.Random(f"cloud of {seed}"))
