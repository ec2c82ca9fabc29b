"""One host at a time, and of its instances one at a time: how Fenix began."""

from collections.abc import Sequence

from fenix.simulation.policies.base import Policy, failure


class SerialPolicy(Policy):
    """Nothing is ever done at the same time."""

    description = "one host at a time, one instance at a time"

    async def step(self, names: Sequence[str]) -> None:
        """Empties the cheapest host, works on it, and comes back."""
        inventory = await self.context.inventory()
        plan = self.plan(inventory, names, limit=1)
        if not plan.hosts:
            await self.make_room(next(iter(plan.blocked.values())))
            return
        (name,) = plan.hosts
        await self.begin(name, "it is the cheapest to empty")
        for instance in sorted(inventory.on(name), key=lambda one: one.id):
            if error := await self.leave(instance, plan.targets[instance.id]):
                raise failure(name, [error])
        await self.work_on(name)
