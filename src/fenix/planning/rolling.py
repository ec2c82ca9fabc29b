"""What may start now: the decisions of workflow `vnf`, as a pure state machine.

There are no global steps. Each host goes through drain, maintenance and back as soon as it can,
each instance moves as soon as it may. The workflow reports what has happened and asks `decide`
what may start; nothing here does anything or knows a clock.

Capacity is what limits the speed: a host in maintenance and a move both need it. So hosts with
the most unused room come first, as their emptying turns scattered room into usable room; instances
go where they fit best; and one host is drained ahead as far as room allows, so that little is left
to move when the next maintained host comes back.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from fenix.domain import Constraints, HostType, Instance, Inventory, Resources
from fenix.planning.candidates import cheapest_first
from fenix.planning.detour import Step, detour
from fenix.planning.housing import UNLIMITED, Housing, homeless
from fenix.planning.impact import Impact
from fenix.planning.mitigation import Mitigation
from fenix.planning.move_slots import MoveSlots
from fenix.planning.obstacles import blocked, lacking
from fenix.planning.places import Places
from fenix.planning.tasks import (
    UNDER_WAY,
    Decisions,
    HostStage,
    RollingOptions,
    Task,
    TaskStage,
)

TRIES = 24
"""How many hosts are looked at when the first ones do not fit."""
SMALLEST = 20
"""As many instances are added for the share of second moves: in a small cloud a few more decide
whether one host more is empty at the beginning."""


class Rolling:
    """The state of a rolling maintenance and the decisions in it.

    Args:
        inventory: the cloud at the beginning.
        pending: the session's compute hosts that are not yet maintained.
        ready: hosts that may take instances for good.
        constraints: the applications' limits.
        begun: those of `pending` that were begun before a restart; they come first.
    """

    def __init__(
        self,
        inventory: Inventory,
        pending: Iterable[str],
        ready: Iterable[str],
        constraints: Constraints,
        options: RollingOptions,
        begun: Iterable[str] = (),
    ) -> None:
        self._options = options
        self._places = Places(inventory, constraints)
        self.impact = Impact(constraints, options.default_members)
        self.stage: dict[str, HostStage] = {}
        self.tasks: dict[str, Task] = {}
        self._draining: dict[str, dict[str, Task]] = {}
        self._moves = MoveSlots(options)
        self.mitigation = Mitigation(self._places, constraints)
        budget = round(options.second_moves * (len(inventory.instances) + SMALLEST))
        self._housing = Housing(self._places, budget)
        self._changed = True
        self._detour: deque[Step] | None = None
        self._held: set[str] = set()
        self._reported: dict[str, float] = {}
        """When the end of an instance's move was reported."""
        for name in ready:
            self._make_ready(name)
        self._begun = set(begun)
        for name in sorted(pending, key=lambda name: (name not in self._begun, name)):
            self.stage[name] = HostStage.PENDING
            host = inventory.hosts[name]
            if host.up and host.enabled and host.type is HostType.COMPUTE:
                self._places.holes.add(name)

    # What the workflow reports

    def recovering(self, instance: Instance, ended: float) -> None:
        """An instance was moved before a restart, and may still recover."""
        self.impact.take(instance)
        self.impact.recover(instance, ended)

    def agreed(self, ident: str) -> None:
        """The manager of an instance has agreed, or need not be asked."""
        self.tasks[ident].stage = TaskStage.AGREED

    def moved(self, ident: str, host: str, now: float) -> None:
        """An instance has left its host and runs on another one."""
        task = self.tasks[ident]
        self._reported[ident] = now
        self.impact.recover(task.instance, now)
        self._close(task)
        arrived = replace(task.instance, host=host)
        if task.target == host:
            self._places.incoming[host] -= 1
            self._places.on.setdefault(host, {})[ident] = arrived
        else:
            self._places.unreserve(task)
            self._places.on.setdefault(host, {})
            self._arrived(arrived)

    def gone(self, ident: str, now: float, impacted: bool) -> None:
        """An instance does not exist any more, or has left by its manager's hand."""
        task = self.tasks[ident]
        self._reported[ident] = now
        if impacted:
            self.impact.recover(task.instance, now)
        elif task.stage is not TaskStage.WAITING:
            self.impact.give_back(task.instance)
        self._close(task)
        self._places.unreserve(task)

    def allow_second_moves(self) -> bool:
        """Lifts the limit on second moves, since nothing else helps; whether there was one."""
        limited = self._housing.budget < UNLIMITED
        self._housing.budget = UNLIMITED
        self._changed = True
        return limited

    def retreat(self) -> list[str]:
        """Takes back all that has not begun, so that the books show the cloud as it is.

        Returns:
            The hosts that are not drained any more. They are to be enabled; once `reconcile` sees
            that, they take instances again.
        """
        for task in list(self.tasks.values()):
            if task.stage in (TaskStage.WAITING, TaskStage.AGREED):
                self._forget(task)
        hosts = [
            name
            for name, stage in self.stage.items()
            if stage is HostStage.DRAINING and not self._draining.get(name)
        ]
        for name in hosts:
            self.stage[name] = HostStage.PENDING
            self._draining.pop(name, None)
        return hosts

    def left(self, host: str) -> None:
        """A host that was dropped is enabled: it may take instances, and they may stay there."""
        if self._places.hosts[host].up:
            self._places.ready.add(host)
        self._changed = True

    def find_detour(self) -> Step | None:
        """Looks for single moves between hosts that make one empty; they are decided on from now.

        To be asked when nothing is under way, after `retreat`.

        Returns:
            The last of the moves; None: there is no such way.
        """
        on = self._places.on
        free = {
            name: {ident: one for ident, one in there.items() if ident not in self._held}
            for name, there in on.items()
        }
        goals = [
            name
            for name, stage in self.stage.items()
            if stage is HostStage.PENDING and len(free[name]) == len(on[name])
        ]
        steps = detour(free, self._places.room, (*self._places.ready, *self._places.holes), goals)
        if not steps:
            return None
        self._detour = deque(steps)
        return steps[-1]

    def refused(self, ident: str) -> None:
        """An instance that was to make room may not be moved: it stays where it is from now on."""
        self._forget(self.tasks[ident])
        self._held.add(ident)
        self._detour = None
        self._changed = True

    def failed(self, ident: str, now: float) -> None:
        """A move failed and the instance is still on its host: it gets another target."""
        task = self.tasks[ident]
        if task.stage is TaskStage.MOVING:
            self._moves.give_back(task)
        self.mitigation.release(task.instance)
        if task.target is not None:
            task.failed_on.add(task.target)
        self.impact.recover(task.instance, now)
        task.stage = TaskStage.WAITING
        if task.detour or self.stage.get(task.source) is HostStage.OUT:
            self._forget(task)
            self._detour = None
        else:
            self._places.unreserve(task)
        self._changed = True

    def occupied(self, host: str) -> bool:
        """A host that was to be worked on is not empty, since something was just started there.

        Returns:
            Whether anything that is known to be there is to be moved now; see `reconcile`.
        """
        tasks = self._draining.setdefault(host, {})
        for ident, instance in self._places.on[host].items():
            if ident not in self.tasks:
                tasks[ident] = self.tasks[ident] = Task(instance, host)
        self.stage[host] = HostStage.DRAINING
        self._changed = True
        return bool(tasks)

    def maintained(self, host: str) -> None:
        """A host is back from its maintenance."""
        self._make_ready(host)

    def drop(self, host: str, now: float) -> None:
        """A host is not to be worked on (any more); what has not begun to move stays there."""
        self._places.holes.discard(host)
        self._places.ready.discard(host)
        for task in list(self._draining.pop(host, {}).values()):
            if task.stage is TaskStage.MOVING:
                continue
            self._forget(task)
        self.stage[host] = HostStage.OUT
        self._changed = True

    def reconcile(self, inventory: Inventory, read_at: float) -> None:
        """Takes in what happened in the cloud without us: instances come, go and move.

        Args:
            read_at: when reading the inventory began; what was reported since is newer.
        """
        self._places.renew_hosts(inventory.hosts)
        self._look_at_hosts()
        for host, instance in self._places.strayed(inventory):
            ident = instance.id
            task = self.tasks.get(ident)
            if task and task.stage in UNDER_WAY:
                continue
            if self._reported.get(ident, read_at) > read_at:
                continue
            if task is not None:
                self._close(task)
                self._places.unreserve(task)
            else:
                self._places.on[host].pop(ident)
                self._places.take(instance, host)
            self._changed = True
        for now in self._places.unexpected(inventory):
            task = self.tasks.get(now.id)
            if self._reported.get(now.id, read_at) > read_at:
                continue
            if not (task and task.stage in UNDER_WAY):
                self._arrived(now)

    # What the workflow asks

    @property
    def finished(self) -> bool:
        """Whether no host is left to be worked on."""
        return all(stage in (HostStage.READY, HostStage.OUT) for stage in self.stage.values())

    @property
    def idle(self) -> bool:
        """Whether nothing is under way that could change anything."""
        busy = any(stage is HostStage.WORKED_ON for stage in self.stage.values())
        moving = (TaskStage.ASKED, TaskStage.MOVING)
        return not busy and not any(task.stage in moving for task in self.tasks.values())

    def decide(self, now: float) -> Decisions:
        """What may start at this moment; it counts as started."""
        found = Decisions()
        if self.impact.expire(now):
            self._changed = True
        if self._detour is not None:
            self._take_detour(self._detour)
        if self._detour is None:
            self._open_hosts(found)
        for name in list(self._draining):
            self._advance(name, found)
        self._start_work(found)
        return found

    def lacking(self) -> Resources:
        """What the host that is easiest to empty lacks in room elsewhere; at least one vCPU."""
        return lacking(self._places, self._not_empty())

    def blocked(self) -> dict[str, str]:
        """For each host that can't be emptied now, what is in the way, in words."""
        return blocked(self._places, self._not_empty())

    def _not_empty(self) -> list[str]:
        stages = (HostStage.PENDING, HostStage.DRAINING)
        return [name for name, stage in self.stage.items() if stage in stages]

    # Hosts

    def _open_hosts(self, found: Decisions) -> None:
        """Chooses hosts to drain next, while there is room for their instances."""
        if not self._changed:
            return
        self._changed = False
        self._housing.look_anew()
        for name in [name for name in self._draining if homeless(self._draining[name].values())]:
            self._house(name, partly=True)
        failed = 0
        partial = any(homeless(self._draining[name].values()) for name in self._draining)
        for name in self._candidates():
            if not self._slot_ahead():
                return
            if self._places.incoming[name] or self._draining.get(name):
                continue  # It has just been chosen to take instances, or to give some.
            if not self._places.on[name]:
                self._open(name, found, "it is empty")
                continue
            if failed >= TRIES:
                return
            if self._house(name, partly=False):
                self._open(name, found, self._why_open(name))
                failed = 0
            elif not partial and len(self._places.ready) and self._house(name, partly=True):
                partial = True
                self._open(name, found, "the room that is left takes some of its instances already")
            else:
                failed += 1

    def _house(self, name: str, partly: bool) -> bool:
        """Reserves places for the instances of a host; see `Housing.house`."""
        tasks = self._draining.get(name)
        if tasks is None:
            tasks = {one.id: Task(one, name) for one in self._places.on[name].values()}
        makers = self._housing.house(tasks.values(), partly, self._hungry(), self.tasks)
        if makers is None:
            return False
        if name not in self._draining:
            self._draining[name] = tasks
            self.tasks.update(tasks)
        for maker in makers:
            self._draining.setdefault(maker.source, {})[maker.instance.id] = maker
            self.tasks[maker.instance.id] = maker
        return True

    def _hungry(self) -> bool:
        """Whether more hosts could be worked on now, if they were empty."""
        limit = self._options.parallel_hosts
        return limit is None or self._begun_hosts() < limit

    def _begun_hosts(self) -> int:
        under_way = (HostStage.DRAINING, HostStage.EMPTY, HostStage.WORKED_ON)
        return sum(stage in under_way for stage in self.stage.values())

    def _candidates(self) -> list[str]:
        pending = [name for name, stage in self.stage.items() if stage is HostStage.PENDING]
        slots = self._options.parallel_hosts is not None
        return cheapest_first(self._places, pending, self._begun, slots)

    def _slot_ahead(self) -> bool:
        """Whether one more host may be drained: enough to fill all slots twice, not more."""
        limit = self._options.parallel_hosts
        if limit is None:
            return True
        first = not len(self._places.ready)
        return self._begun_hosts() < (limit if first else 2 * limit)

    def _open(self, name: str, found: Decisions, why: str) -> None:
        self.stage[name] = HostStage.DRAINING if self._places.on[name] else HostStage.EMPTY
        self._places.holes.discard(name)
        found.drain.append((name, why))

    def _why_open(self, name: str) -> str:
        tasks = self._draining[name].values()
        second = sum(task.second for task in tasks)
        where = "maintained hosts" if not second else "hosts that still have room"
        return f"all its {len(tasks)} instances have a place on {where}"

    def _start_work(self, found: Decisions) -> None:
        limit = self._options.parallel_hosts
        working = sum(stage is HostStage.WORKED_ON for stage in self.stage.values())
        for name, stage in self.stage.items():
            if limit is not None and working >= limit:
                return
            if stage is HostStage.EMPTY:
                self.stage[name] = HostStage.WORKED_ON
                found.maintain.append(name)
                working += 1

    def _make_ready(self, name: str) -> None:
        self.stage[name] = HostStage.READY
        self._places.ready.add(name)
        self._changed = True

    # Instances

    def _advance(self, name: str, found: Decisions) -> None:
        """Asks for and moves instances of a draining host, as far as limits allow."""
        tasks = self._draining[name]
        if not tasks:
            del self._draining[name]
            if self.stage.get(name) is HostStage.DRAINING:
                self.stage[name] = HostStage.EMPTY
            return
        per_host = self._options.parallel_migrations_per_host
        ahead = sum(task.stage in (TaskStage.ASKED, TaskStage.AGREED) for task in tasks.values())
        for task in tasks.values():
            if task.stage is TaskStage.AGREED and self._may_move(task):
                task.stage = TaskStage.MOVING
                self._moves.take(task)
                found.move.append(task)
                ahead -= 1
        for task in tasks.values():
            if task.stage is not TaskStage.WAITING or (task.target is None and task.makes_room):
                continue
            if per_host is not None and ahead >= 2 * per_host:
                return
            if self.impact.free(task.instance) and self.mitigation.keep(task):
                self.impact.take(task.instance)
                task.stage = TaskStage.ASKED
                found.ask.append(task)
                ahead += 1

    def _may_move(self, task: Task) -> bool:
        if task.target is None or any(ident in self.tasks for ident in task.after):
            return False
        return self._moves.free(task)

    def _close(self, task: Task) -> None:
        """The instance is off its host."""
        ident = task.instance.id
        if task.stage is TaskStage.MOVING:
            self._moves.give_back(task)
        self.mitigation.release(task.instance)
        del self.tasks[ident]
        self._draining.get(task.source, {}).pop(ident, None)
        if self._places.on[task.source].pop(ident, None) is not None and not task.makes_room:
            self._places.take(task.instance, task.source)
        # Only then may hosts be chosen that could not before: those that take part in second
        # moves. The room that a drained host has left is of no use until it is maintained.
        self._changed = self._changed or task.second or task.makes_room

    def _arrived(self, instance: Instance) -> None:
        """An instance is on a host that was not expected there."""
        host = instance.host
        self._places.on[host][instance.id] = instance
        self._places.put(instance, host)
        self.mitigation.arrived(instance)
        self._changed = True
        if self.stage.get(host) in (HostStage.DRAINING, HostStage.EMPTY):
            self.stage[host] = HostStage.DRAINING
            task = Task(instance, host)
            self._draining.setdefault(host, {})[instance.id] = task
            self.tasks[instance.id] = task

    def _take_detour(self, steps: deque[Step]) -> None:
        """Begins the next move of a detour when the one before has ended."""
        if any(task.detour for task in self.tasks.values()):
            return
        while steps:
            step = steps.popleft()
            instance = self._places.on[step.source].get(step.instance.id)
            if instance is None or step.target not in (*self._places.ready, *self._places.holes):
                break
            if self._places.room.obstacle(instance, step.target) is not None:
                break
            task = Task(
                instance, step.source, second=step.target in self._places.holes, detour=True
            )
            task.why = f"nothing else gives room: {len(steps)} more moves make a host empty"
            self._places.reserve(task, step.target)
            self._draining.setdefault(step.source, {})[instance.id] = task
            self.tasks[instance.id] = task
            return
        self._detour = None
        self._changed = True

    def _look_at_hosts(self) -> None:
        """Notes which hosts take instances (not) any more."""
        for name, stage in self.stage.items():
            shelf = self._places.ready if stage is HostStage.READY else self._places.holes
            host = self._places.hosts.get(name)
            usable = host is not None and host.up and host.enabled
            if usable is (name in shelf) or stage not in (HostStage.READY, HostStage.PENDING):
                continue
            if usable:
                shelf.add(name)
            else:
                shelf.discard(name)
            self._changed = True

    # Books

    def _forget(self, task: Task) -> None:
        """The instance stays where it is."""
        self._places.unreserve(task)
        self.mitigation.release(task.instance)
        if task.stage in (TaskStage.ASKED, TaskStage.AGREED):
            self.impact.give_back(task.instance)
        if task.makes_room:
            self._places.put(task.instance, task.source)
        del self.tasks[task.instance.id]
        self._draining.get(task.source, {}).pop(task.instance.id, None)
