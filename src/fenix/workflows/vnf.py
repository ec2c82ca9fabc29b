"""Workflow `vnf`: each host and each instance as soon as it may, within all constraints.

One message, one reply and one INSTANCE_ACTION_DONE for each instance. What may start when is
decided by `fenix.planning.rolling`; this module does it and reports back.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from fenix.domain import (
    Constraints,
    HostState,
    HostType,
    Instance,
    InstanceState,
    InstanceStatus,
    Inventory,
    MoveAction,
    MoveState,
    ProjectState,
    Reply,
    SessionState,
    SilentPolicy,
)
from fenix.planning.rolling import Rolling
from fenix.planning.tasks import Task
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.common import CommonStates, instances_by_project
from fenix.workflows.maintaining import maintain, still_there
from fenix.workflows.moving import ATTEMPTS, await_own_action, chosen_action, when_free
from fenix.workflows.talking import SHORTEST_WINDOW, meet
from fenix.workflows.vnf_resume import asked_before, build, end_moves, pending_hosts
from fenix.workflows.vnf_scaling import make_room, speed_up

REFRESH = timedelta(seconds=60)
"""How often the cloud is looked at for instances that have come or gone by themselves."""

HEED = timedelta(minutes=10)
"""How often constraints are read anew while there are no new instances."""

LAG = 10.0
"""Seconds that the cloud's lists may lag behind: for so long, what is reported of a move wins."""

PATIENCE = timedelta(seconds=130)
"""How long the last try of a move waits.

Nova's scheduler goes on counting a member of an anti-affinity group on the host it has left by a
live migration, until the computes report what they have (scheduler_instance_sync_interval, 120 s).
"""

MOST_DETOURS = 3
"""How often a detour is tried until a host is maintained: some instances go where they like."""


class VnfWorkflow(CommonStates):
    """Rolls through the hosts without global steps."""

    description = "each host and each instance as soon as its application's constraints allow"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._news = asyncio.Event()
        self._rolling: Rolling
        self._constraints = Constraints()
        self._at_first: frozenset[str] = frozenset()
        self._heeded = context.now()
        self._tasks: asyncio.TaskGroup
        self._origin = context.session.created_at
        self._detours = 0
        self._failures: Counter[tuple[str, str]] = Counter()
        self._departures: Counter[tuple[str, str]] = Counter()
        """How often an instance has left a host, or tried to."""

    # States

    async def first(self, inventory: Inventory) -> SessionState:
        """There are no global steps: rolling begins."""
        return SessionState.START_MAINTENANCE

    async def scale_in(self) -> SessionState:
        """Goes on where it was."""
        return await self._roll()

    async def prepare_maintenance(self) -> SessionState:
        """Goes on where it was."""
        return await self._roll()

    async def start_maintenance(self) -> SessionState:
        """Goes on where it was."""
        return await self._roll()

    async def planned_maintenance(self) -> SessionState:
        """Goes on where it was."""
        return await self._roll()

    # Rolling

    async def _roll(self) -> SessionState:
        context = self.context
        for name, host in sorted(context.hosts.items()):
            if host.state is HostState.MAINTAINED:
                await context.enable_host(name)
        for name, host in sorted(context.hosts.items()):
            unfinished = host.state not in (HostState.MAINTAINED, HostState.SKIPPED)
            if host.type is HostType.CONTROLLER and unfinished:
                await maintain(context, name)
        await end_moves(context)
        self._departures = Counter(
            (move.instance_id, move.source) for move in context.moves.values()
        )
        inventory = await context.inventory()
        still_there(inventory, pending_hosts(context))
        self._constraints = await context.constraints()
        self._at_first = frozenset(inventory.instances)
        await meet(context, instances_by_project(inventory, context.hosts))
        inventory = await speed_up(context, inventory)
        self._rolling = build(context, inventory, self._constraints)
        busy_with = asked_before(context, inventory, self._rolling)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            waits = [self._spawn(partial(self._outwait, instance)) for instance in busy_with]
            refreshed = context.now()
            while not self._rolling.finished:
                self._news.clear()
                if self._act():
                    continue
                if self._rolling.idle:
                    await self._unblock()
                    continue
                await self._await_news()
                if context.now() - refreshed > REFRESH:
                    await self._look()
                    refreshed = context.now()
            for wait in waits:
                wait.cancel()
        return SessionState.MAINTENANCE_COMPLETE

    def _act(self) -> bool:
        """Starts what may start now; whether there was anything."""
        decisions = self._rolling.decide(self._seconds())
        for name, why in decisions.drain:
            self._spawn(partial(self._drain, name, why))
        for task in decisions.ask:
            self._spawn(partial(self._ask, task))
        for task in decisions.move:
            self._spawn(partial(self._move, task))
        for name in decisions.maintain:
            self._spawn(partial(self._maintain, name))
        return bool(decisions)

    async def _await_news(self) -> None:
        expiry = self._rolling.next_expiry
        wait = REFRESH.total_seconds()
        if expiry is not None:
            wait = min(wait, max(0.001, expiry - self._seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._news.wait()

    async def _unblock(self) -> None:
        """Nothing is under way and nothing may start: finds a way on.

        Raises:
            SessionFailed: there is none, with what is in the way.
        """
        context = self.context
        if expiry := self._rolling.next_expiry:
            # Only recovering members hold everything up.
            await asyncio.sleep(max(0.001, expiry - self._seconds()))
            return
        if waived := self._rolling.waive():
            for instance in waived:
                await context.note(
                    "instance.unmitigated",
                    "there is no room for a replacement; its manager is asked all the same",
                    instance=instance.id,
                    project=instance.project_id,
                )
            return
        if self._rolling.allow_second_moves() or await self._detour():
            return
        await context.set_state(SessionState.SCALE_IN)
        inventory = await context.inventory()
        blocked = self._rolling.blocked()
        why = next((f"host {name}: {text}" for name, text in blocked.items()), "no host is left")
        after = await make_room(context, inventory, self._rolling.lacking(), why)
        self._rolling.reconcile(after, self._seconds())

    async def _look(self) -> Inventory:
        """Reads the cloud and takes in what happened in it."""
        read_at = self._seconds() - LAG
        inventory = await self.context.inventory()
        await self._heed(inventory)
        self._rolling.reconcile(inventory, read_at)
        return inventory

    async def _heed(self, inventory: Inventory) -> None:
        """Takes in what applications have registered since: at once where instances are new."""
        new = inventory.instances.keys() - self._at_first - self._constraints.instances.keys()
        if not new and self.context.now() - self._heeded < HEED:
            return
        self._heeded = self.context.now()
        found = await self.context.constraints()
        if found != self._constraints:
            self._constraints = found
            self._rolling.heed(found)

    async def _detour(self) -> bool:
        """Begins anew, and looks for moves from host to host that empty one; whether there are."""
        context = self.context
        if self._detours >= MOST_DETOURS:
            return False
        for name in self._rolling.retreat():
            await context.set_host(name, HostState.PENDING, "its instances do not all find a place")
            await context.enable_host(name)
        await self._look()
        last = self._rolling.find_detour()
        if last is not None:
            self._detours += 1
            await context.note(
                "session.detour",
                "no host can be emptied at once; instances move from host to host to empty one",
                host=last.source,
            )
        return last is not None

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return self._tasks.create_task(self._reporting(work))

    async def _reporting(self, work: Callable[[], Awaitable[None]]) -> None:
        await work()
        self._news.set()

    def _seconds(self) -> float:
        return (self.context.now() - self._origin).total_seconds()

    # Hosts

    async def _drain(self, name: str, why: str) -> None:
        context = self.context
        if context.hosts[name].state is HostState.PENDING:
            await context.set_host(name, HostState.DRAINING, why)
        await context.disable_host(name)

    async def _maintain(self, name: str) -> None:
        context = self.context
        await context.disable_host(name)
        if (await context.inventory_of(name)).on(name):
            await self._look()
            if self._rolling.occupied(name):
                return
        if context.session.state is SessionState.PREPARE_MAINTENANCE:
            await context.set_state(SessionState.START_MAINTENANCE)
        await maintain(context, name)
        self._detours = 0
        self._rolling.maintained(name)

    async def _skip(self, name: str, why: str) -> None:
        """Leaves a host as it is."""
        context = self.context
        if context.hosts[name].state is HostState.SKIPPED:
            return
        self._rolling.drop(name, self._seconds())
        await context.set_host(name, HostState.SKIPPED, why)
        await context.enable_host(name)
        self._rolling.left(name)

    # Instances

    def _current(self, task: Task) -> bool:
        """Whether a task still counts: its host may have been left meanwhile."""
        return self._rolling.tasks.get(task.instance.id) is task

    async def _ask(self, task: Task) -> None:
        own = await self._question(task)
        # Where the host was left meanwhile, only now does the manager do no more about it.
        self._rolling.settle(task.instance.id, self._seconds(), impacted=own)

    async def _question(self, task: Task) -> bool:
        """Asks a manager for an instance, and waits for what it does itself.

        Returns:
            Whether it has moved or built anew its instance (OWN_ACTION).
        """
        context, instance = self.context, task.instance
        state = (
            ProjectState.PREPARE_MAINTENANCE if task.second else ProjectState.PLANNED_MAINTENANCE
        )
        await self._show(state)
        if instance.project_id not in context.projects:
            await meet(context, [instance.project_id])
        if not context.projects[instance.project_id].reached:
            action = chosen_action(instance, None, self._constraints)
            await context.set_instance(
                instance, InstanceState.AGREED, task.why, action=action, target=task.target
            )
            self._agreed(task)
            return False
        await context.set_instance(instance, InstanceState.ASKED, task.why, target=task.target)
        reply = await self._put(f"MOVE:{self._key(task)}", state, instance)
        # The question may be an earlier one, when the target was another kind of host.
        refused = reply is None or reply.state.startswith("NACK_")
        if refused and self._current(task):
            await self._look_where_it_is(task)
            if self._current(task):
                await self._refused(task, state, reply)
        if refused and not self._current(task):
            return False
        action = chosen_action(instance, reply, self._constraints)
        if action is MoveAction.OWN_ACTION:
            return await self._own_action(task)
        if self._current(task):
            await context.set_instance(
                instance, InstanceState.AGREED, task.why, action=action, target=task.target
            )
            self._agreed(task)
        return False

    async def _put(self, key: str, state: ProjectState, instance: Instance) -> Reply | None:
        """Puts the question about one instance to its manager, and waits for the answer."""
        context = self.context
        registered = self._constraints.instances.get(instance.id)
        notice = registered.lead_time if registered else context.session.request.options.lead_time
        deadline = context.now() + max(timedelta(seconds=notice), SHORTEST_WINDOW)
        return await context.ask(
            key,
            instance.project_id,
            state,
            reply_by=deadline,
            actions_at=deadline,
            instances=[instance],
            single=True,
        )

    async def _outwait(self, instance: Instance) -> None:
        """Waits until a manager that an earlier engine has asked is ready, or has had its time.

        If its instance is to be moved now, the same question is waited for elsewhere as well.
        """
        context, task = self.context, Task(instance, instance.host)
        key, own = f"MOVE:{self._key(task)}", False
        if state := context.asked(key):
            reply = await self._put(key, state, instance)
            agreed = reply is not None and not reply.state.startswith("NACK_")
            action = chosen_action(instance, reply, self._constraints)
            if agreed and action is MoveAction.OWN_ACTION:
                own = await self._own_action(task)
        self._rolling.settle(instance.id, self._seconds(), impacted=own)

    def _agreed(self, task: Task) -> None:
        if self._current(task):
            self._rolling.agreed(task.instance.id)

    def _key(self, task: Task) -> str:
        """Names the move off this host, and the question before it; a further try is a new one."""
        source = task.instance.id, task.source
        return f"{task.instance.id}:{task.source}:{self._departures[source]}"

    async def _show(self, state: ProjectState) -> None:
        """Shows the session's state; it does not go back from PLANNED to PREPARE."""
        shown = self.context.session.state
        wanted = SessionState(state)
        if shown is not SessionState.PLANNED_MAINTENANCE:
            await self.context.set_state(wanted)

    async def _refused(self, task: Task, state: ProjectState, reply: Reply | None) -> None:
        """A manager said no, or nothing: the session's policy decides.

        Raises:
            SessionFailed: by policy.
        """
        project, ident = task.instance.project_id, task.instance.id
        said = f"answered {state.nack}" if reply else f"did not answer {state} in time"
        why = f"project {project} {said} for instance {ident}"
        policy = self.context.session.request.options.silent_projects
        if policy is SilentPolicy.SKIP_HOST:
            await self._skip(task.source, why)
            if self._current(task):  # its host was left before, and it was to make room
                self._rolling.refused(ident)
        elif reply is not None or policy is SilentPolicy.FAIL:
            raise SessionFailed(why)
        elif self._notices(task.instance):
            raise SessionFailed(f"{why}, and would notice even a live migration")

    def _notices(self, instance: Instance) -> bool:
        """Whether a live migration stands still for longer than the application tolerates."""
        registered = self._constraints.instances.get(instance.id)
        downtime = self.context.session.request.options.live_migration_downtime
        live = chosen_action(instance, None, self._constraints) is MoveAction.LIVE_MIGRATE
        return live and registered is not None and registered.max_interruption_time < downtime

    async def _own_action(self, task: Task) -> bool:
        """Waits for it; whether it was done, which it need not be where the host was left."""
        try:
            await await_own_action(self.context, task.instance.id, [task.source])
        except SessionFailed:
            if self._current(task):
                raise
            return False
        if self._current(task):
            await self._look_where_it_is(task)
        return True

    async def _look_where_it_is(self, task: Task) -> Instance | None:
        """Takes in that an instance has gone, or left its host by somebody else's hand.

        Returns:
            The instance as it is now, if it is still on its host.
        """
        ident = task.instance.id
        now = (await self._look()).instances.get(ident)
        if not self._current(task):
            return None
        if now is None:
            self._rolling.gone(ident, self._seconds(), impacted=True)
        elif now.host != task.source:
            self._rolling.moved(ident, now.host, self._seconds())
        else:
            return now
        return None

    async def _move(self, task: Task) -> None:
        context, instance = self.context, task.instance
        action = context.instances[instance.id].action or MoveAction.LIVE_MIGRATE
        if instance.status is InstanceStatus.STOPPED:
            action = MoveAction.MIGRATE
        record = await context.move(self._key(task), instance, action, task.target)
        source = instance.id, task.source
        self._departures[source] += 1
        if record.state is MoveState.DONE:
            self._rolling.moved(instance.id, record.target or "", self._seconds())
            return
        self._failures[source] += 1
        if self._failures[source] == ATTEMPTS - 1:
            await asyncio.sleep(PATIENCE.total_seconds())
        await when_free(context, instance.id)
        now = await self._look_where_it_is(task)
        if now is None:
            return
        if self._failures[source] >= ATTEMPTS or now.status is InstanceStatus.ERROR:
            raise SessionFailed(
                f"instance {instance.id} could not be moved off {task.source}: {record.error}"
            )
        self._rolling.failed(instance.id, self._seconds())
