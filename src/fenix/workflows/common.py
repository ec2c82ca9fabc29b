"""The first and the last state, which all workflows of the wire contract have alike."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence

from fenix.domain import ActionType, Instance, Inventory, ProjectState, SessionState
from fenix.workflows.base import Workflow
from fenix.workflows.maintaining import session_actions, still_there
from fenix.workflows.talking import agreed, ask_each, meet, reply_by


class CommonStates(Workflow):
    """Announces the session at its beginning, and its end."""

    @abstractmethod
    async def first(self, inventory: Inventory) -> SessionState:
        """The state that comes after MAINTENANCE."""

    async def maintenance(self) -> SessionState:
        """Announces the session; all projects must agree before it begins."""
        context = self.context
        inventory = await context.inventory()
        still_there(inventory, context.hosts)
        concerned = instances_by_project(inventory, context.hosts)
        await meet(context, concerned)
        everywhere = instances_by_project(inventory, inventory.hosts)
        instances = {ident: everywhere[ident] for ident in concerned}
        request = context.session.request
        deadline = reply_by(context, request.options.reply_timeout, request.maintenance_at)
        answers = await ask_each(
            context,
            "MAINTENANCE",
            ProjectState.MAINTENANCE,
            instances,
            deadline,
            max(request.maintenance_at, deadline),
        )
        agreed(context, ProjectState.MAINTENANCE, answers)
        await context.sleep_until(request.maintenance_at, "the maintenance to begin")
        await session_actions(context, ActionType.PRE)
        return await self.first(await context.inventory())

    async def maintenance_complete(self) -> SessionState:
        """Runs the last actions and lets the projects scale back out."""
        context = self.context
        for name in context.hosts:
            await context.enable_host(name)
        await session_actions(context, ActionType.POST)
        inventory = await context.inventory()
        instances = instances_by_project(inventory, inventory.hosts)
        deadline = reply_by(context, context.session.request.options.complete_timeout)
        answers = await ask_each(
            context,
            "MAINTENANCE_COMPLETE",
            ProjectState.MAINTENANCE_COMPLETE,
            {ident: instances.get(ident, ()) for ident in context.projects},
            deadline,
            deadline,
        )
        # The work is done: who stays silent now does not make it undone. Tacker never answers this
        # after more than one scale-in.
        for ident in (ident for ident, reply in answers.items() if reply is None):
            await context.note("project.silent", "no answer to MAINTENANCE_COMPLETE", project=ident)
        heard = {ident: reply for ident, reply in answers.items() if reply is not None}
        agreed(context, ProjectState.MAINTENANCE_COMPLETE, heard)
        return SessionState.MAINTENANCE_DONE


def instances_by_project(
    inventory: Inventory, hosts: Iterable[str]
) -> dict[str, Sequence[Instance]]:
    """The instances on hosts, by project."""
    found: dict[str, list[Instance]] = defaultdict(list)
    for name in hosts:
        for instance in inventory.on(name):
            found[instance.project_id].append(instance)
    return {ident: sorted(found[ident], key=lambda one: one.id) for ident in sorted(found)}
