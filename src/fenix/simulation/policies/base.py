"""What all policies have in common: how an instance leaves its host, and how a host is worked on.

A policy only says which hosts come next, and in which order their instances leave.
"""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fenix.domain import (
    Constraints,
    HostState,
    HostType,
    Instance,
    InstanceState,
    Inventory,
    MoveAction,
    MoveState,
    ProjectState,
    SessionState,
)
from fenix.planning import Emptying, Room, plan_emptying
from fenix.planning.impact import Impact
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.common import CommonStates
from fenix.workflows.maintaining import maintain
from fenix.workflows.moving import ATTEMPTS, await_own_action, chosen_action
from fenix.workflows.scaling import scale_in, willing
from fenix.workflows.slots import MoveSlots
from fenix.workflows.talking import agreed, meet, reply_by

FINISHED = (HostState.MAINTAINED, HostState.SKIPPED)


class Policy(CommonStates):
    """Goes through the hosts in steps until none is left."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        options = context.session.request.options
        self._slots = MoveSlots(options.parallel_migrations, options.parallel_migrations_per_host)
        self._constraints = Constraints()
        self._impact = Impact(self._constraints)
        self._members: dict[str, asyncio.Semaphore] = {}
        self._tries: Counter[str] = Counter()

    @abstractmethod
    async def step(self, names: Sequence[str]) -> None:
        """Works on some of the hosts that are left, or makes room so that it can.

        Args:
            names: the hosts that are left; never empty.
        """

    # States

    async def first(self, inventory: Inventory) -> SessionState:
        """The hosts come next; all else is part of that."""
        return SessionState.START_MAINTENANCE

    async def scale_in(self) -> SessionState:
        """Goes on where it was."""
        return await self.start_maintenance()

    async def start_maintenance(self) -> SessionState:
        """Works on all hosts, controllers first."""
        context = self.context
        self._constraints = await context.constraints()
        options = context.session.request.options
        self._impact = Impact(self._constraints, options.max_impacted_members)
        for name in self._left(HostType.CONTROLLER):
            await maintain(context, name)
        while names := self._left(HostType.COMPUTE):
            await self.step(names)
        return SessionState.MAINTENANCE_COMPLETE

    def _left(self, kind: HostType) -> list[str]:
        hosts = self.context.hosts.items()
        return sorted(n for n, one in hosts if one.type is kind and one.state not in FINISHED)

    # Hosts

    def plan(self, inventory: Inventory, names: Sequence[str], limit: int | None) -> Emptying:
        """Which hosts to empty next, the cheapest first, and where their instances go.

        Maintained hosts, and those outside the session, are preferred to the other ones.
        """
        usable = [
            name
            for name, host in inventory.hosts.items()
            if host.type is HostType.COMPUTE and host.enabled and host.up
        ]
        left = set(names)
        ready = [name for name in usable if name not in left]
        others = [name for name in usable if name in left]
        return plan_emptying(
            inventory,
            names,
            lambda _, leaving: [ready, [name for name in others if name not in leaving]],
            Room(inventory, self._constraints),
            limit,
        )

    async def begin(self, name: str, why: str) -> None:
        """Keeps anything new from a host that is to be emptied."""
        if self.context.hosts[name].state is HostState.PENDING:
            await self.context.set_host(name, HostState.DRAINING, why)
        await self.context.disable_host(name)

    async def work_on(self, name: str) -> None:
        """Works on an empty host and gives it back."""
        await self.context.set_host(name, HostState.EMPTY, "all its instances are gone")
        await maintain(self.context, name)

    async def make_room(self, why: str) -> None:
        """Asks all applications that may have something to give for one scale-in.

        Raises:
            SessionFailed: nothing was given.
        """
        context = self.context
        await context.set_state(SessionState.SCALE_IN)
        await scale_in(context, await context.inventory(), willing(context), why)
        await context.set_state(SessionState.START_MAINTENANCE)

    # Instances

    async def leave(self, instance: Instance, target: str | None, attempts: int = ATTEMPTS) -> str:
        """Gets an instance off its host, with its manager's consent, within its group's limit.

        Args:
            target: where to; None: where the cloud's scheduler likes best.

        Returns:
            Why it is still there; empty if it has left.
        """
        context = self.context
        await meet(context, [instance.project_id])
        why = f"host {instance.host} is to be empty"
        error = ""
        for attempt in range(attempts):
            self._tries[instance.id] += 1
            async with self._impacted(instance):
                await context.set_instance(instance, InstanceState.ASKED, why, target=target)
                action = await self._ask(instance)
                if action is MoveAction.OWN_ACTION:
                    await await_own_action(context, instance.id, [instance.host])
                    return ""
                async with self._slots.taken(*{instance.host, target or instance.host}):
                    record = await context.move(self._key(instance), instance, action, target)
            if record.state is MoveState.DONE:
                return ""
            error = f"attempt {attempt + 1}: {record.error}"
        return error

    async def _ask(self, instance: Instance) -> MoveAction:
        context, project = self.context, instance.project_id
        if not context.projects[project].reached:
            return chosen_action(instance, None, self._constraints)
        deadline = reply_by(context, context.session.request.options.reply_timeout)
        state = ProjectState.PLANNED_MAINTENANCE
        reply = await context.ask(
            self._key(instance),
            project,
            state,
            reply_by=deadline,
            actions_at=deadline,
            instances=[instance],
            single=True,
        )
        agreed(context, state, {project: reply}, may_skip=False)
        return chosen_action(instance, reply, self._constraints)

    def _key(self, instance: Instance) -> str:
        """A new name for each try."""
        return f"{instance.id}:{self._tries[instance.id]}"

    @asynccontextmanager
    async def _impacted(self, instance: Instance) -> AsyncIterator[None]:
        """Waits until one more of the instance's group may be impacted, and counts it."""
        group = self._impact.group_of(instance)
        if group is None:
            yield
            return
        limit = self._members.setdefault(group, asyncio.Semaphore(self._impact.limit(group)))
        await limit.acquire()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(self._impact.recovery(group), limit.release)


def failure(name: str, errors: Sequence[str]) -> SessionFailed:
    """What ends a session whose host can't be emptied."""
    return SessionFailed(f"host {name} can't be emptied: {'; '.join(errors[:3])}")
