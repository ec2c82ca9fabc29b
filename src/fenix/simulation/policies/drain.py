"""One host at a time, its instances in parallel, targets left to the cloud's scheduler.

That is what drain playbooks, kured, and Watcher's host maintenance do. The scheduler does not know
which hosts are still to come, so that it sends instances to hosts that are drained later.
"""

import asyncio
from collections.abc import Sequence

from fenix.domain import Instance
from fenix.simulation.policies.base import Policy, failure
from fenix.workflows.base import SessionFailed


class DrainPolicy(Policy):
    """Host by host in the order of their names."""

    description = "one host at a time, its instances in parallel, targets left to the scheduler"

    async def step(self, names: Sequence[str]) -> None:
        """Drains the next host and works on it."""
        name = names[0]
        await self.begin(name, "it is the next one")
        while instances := (await self.context.inventory()).on(name):
            errors = await self._drain(sorted(instances, key=lambda one: one.id))
            if errors:
                await self._give_way(name, errors)
        await self.work_on(name)

    async def _drain(self, instances: Sequence[Instance]) -> list[str]:
        async with asyncio.TaskGroup() as tasks:
            leaving = [
                tasks.create_task(self.leave(instance, None, attempts=1)) for instance in instances
            ]
        return [error for task in leaving if (error := task.result())]

    async def _give_way(self, name: str, errors: Sequence[str]) -> None:
        """The scheduler has no host for some; without more room there is no way on."""
        try:
            await self.make_room(errors[0])
        except SessionFailed as error:
            raise failure(name, [*errors[:1], str(error)]) from error
