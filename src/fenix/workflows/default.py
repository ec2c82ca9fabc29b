"""Workflow `default`: host by host in rounds, one message for all instances of a project.

The states and what each does are those of the wire contract, "Workflow `default`". Several hosts
are worked on side by side where there is room.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Coroutine, Iterable, Sequence
from typing import Any

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
    SessionState,
    SilentPolicy,
)
from fenix.planning import Emptying, Room, place, plan_emptying
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.common import CommonStates
from fenix.workflows.looking import until
from fenix.workflows.maintaining import maintain, still_there
from fenix.workflows.moving import chosen_action, end_overruns, last_known, lately_left, move_away
from fenix.workflows.scaling import scale_in, willing
from fenix.workflows.slots import MoveSlots
from fenix.workflows.talking import agreed, ask_each, meet, reply_by

UNFINISHED = (HostState.PENDING, HostState.DRAINING, HostState.EMPTY, HostState.IN_MAINTENANCE)


class DefaultWorkflow(CommonStates):
    """Works in rounds: empty some hosts, maintain them, move the next hosts' instances there."""

    description = "rounds of hosts, one message for all instances of a project"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        options = context.session.request.options
        self._slots = MoveSlots(options.parallel_migrations, options.parallel_migrations_per_host)
        self._targets: dict[str, str | None] = {}
        """Where each instance of the round goes, or is to go: others must not count on its room."""

    # States

    async def first(self, inventory: Inventory) -> SessionState:
        """See `_next`."""
        return self._next(inventory)

    async def scale_in(self) -> SessionState:
        """Asks for capacity until a host can be emptied."""
        context = self.context
        inventory = await context.inventory()
        while (following := self._next(inventory)) is SessionState.SCALE_IN:
            blocked = self._plan(inventory, ProjectState.PREPARE_MAINTENANCE).blocked
            why = next(
                (f"host {name}: {text}" for name, text in blocked.items()), "no host is left"
            )
            inventory = await scale_in(context, inventory, willing(context), why)
        return following

    async def prepare_maintenance(self) -> SessionState:
        """Empties hosts although their instances must go to hosts that are not yet maintained."""
        return await self._drain(ProjectState.PREPARE_MAINTENANCE)

    async def start_maintenance(self) -> SessionState:
        """Works on all empty hosts; nothing new may land on a host that is not yet maintained."""
        context = self.context
        still_there(await context.inventory(), self._unfinished(HostType.COMPUTE))
        await self._all(context.disable_host(name) for name in self._unfinished(HostType.COMPUTE))
        await self._all(
            context.enable_host(name)
            for name, host in context.hosts.items()
            if host.state is HostState.MAINTAINED
        )
        for name in self._unfinished(HostType.CONTROLLER):
            await maintain(context, name)
        self._all_well()
        inventory = await context.inventory()
        empty = [name for name in self._unfinished(HostType.COMPUTE) if not inventory.on(name)]
        slots = asyncio.Semaphore(context.session.request.options.parallel_hosts or len(empty) or 1)

        async def one(name: str) -> None:
            async with slots:
                await maintain(context, name)

        await self._all(one(name) for name in empty)
        self._all_well()
        if self._unfinished(HostType.COMPUTE):
            return SessionState.PLANNED_MAINTENANCE
        return SessionState.MAINTENANCE_COMPLETE

    async def planned_maintenance(self) -> SessionState:
        """Moves the next hosts' instances to maintained hosts."""
        return await self._drain(ProjectState.PLANNED_MAINTENANCE)

    # Decisions

    def _next(self, inventory: Inventory) -> SessionState:
        """What has to be done before hosts can be worked on."""
        computes = self._unfinished(HostType.COMPUTE)
        still_there(inventory, computes)
        if self._unfinished(HostType.CONTROLLER) or not computes:
            return SessionState.START_MAINTENANCE
        if any(not inventory.on(name) for name in computes):
            return SessionState.START_MAINTENANCE
        if self._plan(inventory, ProjectState.PLANNED_MAINTENANCE).hosts:
            return SessionState.PLANNED_MAINTENANCE
        if self._plan(inventory, ProjectState.PREPARE_MAINTENANCE).hosts:
            return SessionState.PREPARE_MAINTENANCE
        return SessionState.SCALE_IN

    def _plan(self, inventory: Inventory, state: ProjectState) -> Emptying:
        """Which hosts to empty next, and where to.

        PLANNED: only to hosts that need no maintenance any more, as many hosts as fit. PREPARE:
        one host, and unmaintained hosts take what the others can't.
        """
        context = self.context
        computes = self._unfinished(HostType.COMPUTE)
        candidates = [name for name in computes if inventory.on(name)]
        ready = self._ready(inventory)
        preparing = state is ProjectState.PREPARE_MAINTENANCE
        others = [
            name
            for name in computes
            if inventory.hosts[name].enabled or context.hosts[name].disabled_by_us
        ]

        def preferences(_: str, leaving: Collection[str]) -> Sequence[Collection[str]]:
            return (
                [ready, [name for name in others if name not in leaving]] if preparing else [ready]
            )

        limit = 1 if preparing else context.session.request.options.parallel_hosts
        return plan_emptying(
            inventory,
            candidates,
            preferences,
            Room(inventory),
            limit,
            largest_first=not preparing,
        )

    def _ready(self, inventory: Inventory) -> list[str]:
        """Hosts that may take instances for good: maintained, or not part of the session."""
        return [
            name
            for name, host in inventory.hosts.items()
            if host.type is HostType.COMPUTE
            and host.enabled
            and host.up
            and (
                name not in self.context.hosts
                or self.context.hosts[name].state is HostState.MAINTAINED
            )
        ]

    def _unfinished(self, kind: HostType) -> list[str]:
        return sorted(
            name
            for name, host in self.context.hosts.items()
            if host.type is kind and host.state in UNFINISHED
        )

    def _all_well(self) -> None:
        """Checks that no host has failed, maybe before a restart.

        Raises:
            SessionFailed: with the reasons.
        """
        failed = [
            host.why for host in self.context.hosts.values() if host.state is HostState.FAILED
        ]
        if failed:
            raise SessionFailed("; ".join(failed))

    # Emptying hosts

    async def _drain(self, state: ProjectState) -> SessionState:
        """Empties hosts and goes on to work on them."""
        context = self.context
        following = self._next(await context.inventory())
        if self._kept_round() is None and following is not SessionState(state):
            return following
        round_ = await self._round(state)
        if round_ is None:
            return following
        hosts: list[str] = round_["hosts"]
        for name in hosts:
            await context.disable_host(name)
            if context.hosts[name].state is HostState.PENDING:
                await context.set_host(name, HostState.DRAINING, round_["why"][name])
        for name in {target for target in round_["instances"].values() if target in context.hosts}:
            # Only PREPARE uses such targets; START_MAINTENANCE disables them again.
            await context.enable_host(name)
        await self._ask_and_move(state, round_)
        emptied = await until(
            context,
            lambda inventory: not any(inventory.on(name) for name in hosts),
            context.session.request.options.settle_timeout,
            "cloud",
            f"show that {', '.join(hosts)} is empty",
        )
        if emptied is not None:
            for name in hosts:
                await context.set_host(name, HostState.EMPTY, "all its instances are gone")
        # What has landed there before it was disabled is moved in a further round.
        await context.remember(round=None, rounds=round_["number"])
        return SessionState.START_MAINTENANCE if emptied is not None else SessionState(state)

    async def _round(self, state: ProjectState) -> dict[str, Any] | None:
        """The round that is under way, or a new one; None: no host can be emptied like this."""
        context = self.context
        under_way = self._kept_round()
        if under_way and under_way["state"] == state:
            return under_way
        inventory = await context.inventory()
        draining = [
            name
            for name in self._unfinished(HostType.COMPUTE)
            if context.hosts[name].state is HostState.DRAINING and inventory.on(name)
        ]
        plan = self._plan(inventory, state)
        hosts = draining or list(plan.hosts)
        if not hosts:
            return None
        number = int(context.memory.get("rounds", 0)) + 1
        if number > 10 * len(context.hosts) + 10:
            raise SessionFailed(
                f"hosts {', '.join(hosts)} fill up again as fast as they are emptied"
            )
        round_ = {
            "state": str(state),
            "attempt": self._attempt,
            "number": number,
            "hosts": hosts,
            "why": {name: self._why(inventory, name, state) for name in hosts},
            "instances": {
                instance.id: plan.targets.get(instance.id)
                for name in hosts
                for instance in inventory.on(name)
            },
        }
        await context.remember(round=round_)
        return round_

    @property
    def _attempt(self) -> int:
        return int(self.context.memory.get("attempt", 0))

    def _kept_round(self) -> dict[str, Any] | None:
        """The round that is under way; one of an attempt that failed was taken back then."""
        kept: dict[str, Any] | None = self.context.memory.get("round")
        return kept if kept and kept.get("attempt", 0) == self._attempt else None

    @staticmethod
    def _why(inventory: Inventory, name: str, state: ProjectState) -> str:
        count = len(inventory.on(name))
        where = (
            "hosts that need no maintenance any more"
            if state is ProjectState.PLANNED_MAINTENANCE
            else "other hosts, since no host is empty"
        )
        return f"it is the best to empty now: its {count} instances fit on {where}"

    async def _ask_and_move(self, state: ProjectState, round_: dict[str, Any]) -> None:
        context = self.context
        inventory = await end_overruns(context)
        by_project: dict[str, list[Instance]] = defaultdict(list)
        for ident in round_["instances"]:
            # One that is away or gone already may still be under way, from before a restart.
            if instance := inventory.instances.get(ident):
                by_project[instance.project_id].append(instance)
            elif record := context.instances.get(ident):
                by_project[record.project_id].append(last_known(record))
        await meet(context, by_project)
        self._targets = dict(round_["instances"])
        await self._all(
            self._move_project(state, round_, ident, instances)
            for ident, instances in sorted(by_project.items())
        )

    async def _move_project(
        self,
        state: ProjectState,
        round_: dict[str, Any],
        project_id: str,
        instances: list[Instance],
    ) -> None:
        context = self.context
        number, hosts = round_["number"], round_["hosts"]
        for instance in instances:
            known = context.instances.get(instance.id)
            moved_before = known is not None and known.state is InstanceState.MOVED
            if known is None or (moved_before and instance.host in hosts):
                await context.set_instance(
                    instance, InstanceState.ASKED, f"host {instance.host} is to be empty"
                )
        constraints = await context.constraints()
        deadline = reply_by(context, self._notice(instances, constraints))
        answers = await ask_each(
            context, f"{state}:{number}", state, {project_id: instances}, deadline, deadline
        )
        agreed(context, state, answers, may_skip=False)
        reply = answers.get(project_id)
        actions = {one.id: chosen_action(one, reply, constraints) for one in instances}
        for ident, action in actions.items():
            if action is MoveAction.OWN_ACTION:
                self._targets[ident] = None

        def choose(instance: Instance, inventory: Inventory) -> str | None:
            self._targets[instance.id] = None
            target = self._target(state, round_, instance, inventory)
            self._targets[instance.id] = target
            return target

        await self._all(
            move_away(
                context,
                f"{number}:{instance.id}",
                instance.id,
                hosts,
                actions[instance.id],
                choose,
                self._slots,
            )
            for instance in instances
        )

    def _notice(self, instances: Sequence[Instance], constraints: Constraints) -> float:
        """How long a project may take to answer, in seconds.

        Where silence counts as consent that is at least the lead time of all its instances.
        """
        options = self.context.session.request.options
        if options.silent_projects is not SilentPolicy.PROCEED:
            return options.reply_timeout
        registered = (constraints.instances.get(instance.id) for instance in instances)
        leads = [one.lead_time if one else options.lead_time for one in registered]
        return max(options.reply_timeout, *leads)

    def _target(
        self, state: ProjectState, round_: dict[str, Any], instance: Instance, inventory: Inventory
    ) -> str:
        """The planned target while it still takes the instance, else another one.

        Raises:
            SessionFailed: there is none.
        """
        room = self._room(inventory, round_["hosts"])
        tried = {
            record.target
            for record in self.context.moves.values()
            if record.instance_id == instance.id and record.state is MoveState.FAILED
        }
        unlikely = tried | lately_left(self.context, inventory, instance)
        planned: str | None = round_["instances"].get(instance.id)
        usable = (
            planned in inventory.hosts and inventory.hosts[planned].enabled if planned else False
        ) and planned not in unlikely
        if planned and usable and room.obstacle(instance, planned) is None:
            return planned
        ready = self._ready(inventory)
        enabled = [
            name
            for name in self._unfinished(HostType.COMPUTE)
            if inventory.hosts[name].enabled and name not in round_["hosts"]
        ]
        preparing = state is ProjectState.PREPARE_MAINTENANCE
        preferences = [ready, enabled] if preparing else [ready]
        likely = [[name for name in names if name not in unlikely] for names in preferences]
        untried = [[name for name in names if name not in tried] for names in preferences]
        placement = place([instance], [*likely, *untried, *preferences], room)
        if not placement.complete:
            raise SessionFailed(placement.homeless[instance.id])
        return placement.targets[instance.id]

    def _room(self, inventory: Inventory, hosts: Collection[str]) -> Room:
        """What is free when all instances of the round are where they are to go."""
        room = Room(inventory)
        for ident, target in self._targets.items():
            one = inventory.instances.get(ident)
            # One that is under way has its room on the target already.
            if one is None or one.host not in hosts or one.status is InstanceStatus.BUSY:
                continue
            if target is not None and target in inventory.hosts:
                room.put(one, target)
        return room

    # Helpers

    async def _all(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Does all of it, to the end even if some of it fails; only no move begins any more then.

        Raises:
            SessionFailed: with all reasons.
        """

        async def one(part: Coroutine[Any, Any, None]) -> None:
            try:
                await part
            except Exception:
                await self._slots.close()
                raise

        parts = list(work)
        try:
            results = await asyncio.gather(*map(one, parts), return_exceptions=True)
        finally:
            for part in parts:
                part.close()  # what was cut short before it began
        errors = [result for result in results if isinstance(result, Exception)]
        if errors:
            raise ExceptionGroup("some of the work failed", errors)
