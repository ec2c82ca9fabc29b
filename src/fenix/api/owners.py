"""Asks the cloud whose an instance or a server group is, where somebody else has claimed its id."""

import asyncio
import time
from collections.abc import Callable

from fenix.clouds import Cloud
from fenix.domain import Inventory

KEPT = 30.0
"""Seconds for which an answer counts: anybody can make us ask, and it costs the cloud something."""


class Owners:
    """What the cloud knows, not older than `KEPT`.

    Args:
        clock: seconds, which never go back.
    """

    def __init__(self, cloud: Cloud, clock: Callable[[], float] = time.monotonic) -> None:
        self._cloud = cloud
        self._clock = clock
        self._seen: tuple[float, Inventory] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def of_instance(self, ident: str) -> str | None:
        """The project of an instance; None: the cloud has no such instance.

        Raises:
            CloudUnavailable, CloudError: the cloud does not tell.
        """
        instance = (await self._inventory()).instances.get(ident)
        return instance.project_id if instance else None

    async def of_group(self, ident: str) -> str | None:
        """The project of a server group; None: there is no such group. Raises as `of_instance`."""
        group = (await self._inventory()).groups.get(ident)
        return group.project_id if group else None

    async def _inventory(self) -> Inventory:
        async with self._one_at_a_time:
            if self._seen is None or self._clock() - self._seen[0] > KEPT:
                inventory = await self._cloud.inventory()
                self._seen = self._clock(), inventory
            return self._seen[1]
