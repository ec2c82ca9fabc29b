"""Batches of hosts with a barrier: as many as can be emptied at once, and then the next ones."""

import asyncio
from collections.abc import Sequence

from fenix.domain import Instance
from fenix.simulation.policies.base import Policy, failure


class BatchPolicy(Policy):
    """Empties all hosts of a batch, works on all of them, and only then begins the next batch."""

    description = "batches of hosts with a barrier"

    async def step(self, names: Sequence[str]) -> None:
        """Empties a batch, works on it, and waits until all of it is back."""
        inventory = await self.context.inventory()
        limit = self.context.session.request.options.parallel_hosts
        plan = self.plan(inventory, names, limit)
        if not plan.hosts:
            await self.make_room(next(iter(plan.blocked.values())))
            return
        for name in plan.hosts:
            await self.begin(name, f"it is one of the {len(plan.hosts)} that can be emptied now")
        async with asyncio.TaskGroup() as tasks:
            for name in plan.hosts:
                for instance in inventory.on(name):
                    tasks.create_task(self._leave(instance, plan.targets[instance.id]))
        async with asyncio.TaskGroup() as tasks:
            for name in plan.hosts:
                tasks.create_task(self.work_on(name))

    async def _leave(self, instance: Instance, target: str) -> None:
        if error := await self.leave(instance, target):
            raise failure(instance.host, [error])
