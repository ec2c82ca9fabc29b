"""A workflow that works on the hosts that are empty anyway, and leaves all others."""

from fenix.domain import HostState, Inventory, SessionState
from fenix.workflows.common import CommonStates
from fenix.workflows.maintaining import maintain


class SpareHostsWorkflow(CommonStates):
    """Moves nothing."""

    description = "only hosts that are empty already"

    async def first(self, inventory: Inventory) -> SessionState:
        """What comes after MAINTENANCE."""
        return SessionState.START_MAINTENANCE

    async def start_maintenance(self) -> SessionState:
        """One host after the other; after a restart, those that are left."""
        context = self.context
        for name, host in sorted(context.hosts.items()):
            if host.state in (HostState.MAINTAINED, HostState.SKIPPED):
                continue
            await context.disable_host(name)
            left = (await context.inventory()).on(name)
            if left:
                await context.enable_host(name)
                await context.set_host(name, HostState.SKIPPED, f"{len(left)} instances are on it")
            else:
                await maintain(context, name)
        return SessionState.MAINTENANCE_COMPLETE
