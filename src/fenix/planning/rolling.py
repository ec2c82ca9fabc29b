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
from collections.abc import Iterable, Mapping
from dataclasses import replace

from fenix.domain import Constraints, HostType, Instance, Inventory, Resources
from fenix.planning.candidates import Candidates
from fenix.planning.detour import Step, detour
from fenix.planning.drains import ROOM, Drains
from fenix.planning.ejection import eject
from fenix.planning.housing import UNLIMITED, Housing
from fenix.planning.obstacles import blocked, lacking
from fenix.planning.places import Places
from fenix.planning.stages import Stages
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
        self._drains = Drains(self._places, constraints, options)
        self._stages = Stages()
        slots = options.parallel_hosts is not None
        self._candidates = Candidates(self._places, frozenset(begun), slots)
        budget = round(options.second_moves * (len(inventory.instances) + SMALLEST))
        self._housing = Housing(self._places, budget)
        self._changed = True
        self._detour: deque[Step] | None = None
        self._held: set[str] = set()
        self._reported: dict[str, float] = {}
        """When the end of an instance's move was reported."""
        for name in ready:
            self._make_ready(name)
        for name in sorted(pending):
            self._await(name)
            host = inventory.hosts[name]
            if host.up and host.enabled and host.type is HostType.COMPUTE:
                self._places.holes.add(name)

    # What the workflow reports

    def recovering(self, instance: Instance, ended: float) -> None:
        """An instance was moved before a restart, and may still recover."""
        self._drains.impact.take(instance)
        self._drains.impact.recover(instance, ended)

    def asked_before(self, instance: Instance) -> None:
        """A manager was asked before a restart, and may be busy with an instance until `settle`."""
        self._drains.asked_before(instance)

    def agreed(self, ident: str) -> None:
        """The manager of an instance has agreed, or need not be asked."""
        self._drains.agreed(ident)

    def moved(self, ident: str, host: str, now: float) -> None:
        """An instance has left its host and runs on another one."""
        task = self.tasks[ident]
        self._reported[ident] = now
        self._drains.impact.recover(task.instance, now)
        self._close(task)
        arrived = replace(task.instance, host=host)
        if task.target == host:
            self._places.incoming[host] -= 1
            self._places.arrive(arrived)
        else:
            self._places.unreserve(task)
            self._arrived(arrived)

    def gone(self, ident: str, now: float, impacted: bool) -> None:
        """An instance does not exist any more, or has left by its manager's hand."""
        task = self.tasks[ident]
        self._reported[ident] = now
        if impacted:
            self._drains.impact.recover(task.instance, now)
        elif task.stage is not TaskStage.WAITING:
            self._drains.give_back(task.instance)
        self._close(task)
        self._places.unreserve(task)

    def allow_second_moves(self) -> bool:
        """Lifts the limit on second moves, since nothing else helps; whether there was one."""
        limited = self._housing.budget < UNLIMITED
        self._housing.budget = UNLIMITED
        self._changed = True
        return limited

    def waive(self) -> list[Instance]:
        """Gives up room for replacements, since nothing else helps; the instances concerned."""
        return self._drains.waive()

    def retreat(self) -> list[str]:
        """Takes back all that has not begun, so that the books show the cloud as it is.

        Returns:
            The hosts that are not drained any more. They are to be enabled; once `reconcile` sees
            that, they take instances again.
        """
        for task in list(self.tasks.values()):
            if task.stage in (TaskStage.WAITING, TaskStage.AGREED):
                self._drains.forget(task)
        hosts = [name for name in self._stages.at(HostStage.DRAINING) if not self._drains.of(name)]
        for name in hosts:
            self._drains.let_go(name)
            self._await(name)
        return hosts

    def settle(self, ident: str, now: float, impacted: bool) -> None:
        """A manager is not busy any more with an instance of a host that was dropped meanwhile."""
        self._drains.settle(ident, now, impacted)

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
            name for name in self._stages.at(HostStage.PENDING) if len(free[name]) == len(on[name])
        ]
        where = free, self._places.room, (*self._places.ready, *self._places.holes), goals
        steps = eject(*where) or detour(*where)
        if not steps:
            return None
        self._detour = deque(steps)
        return steps[-1]

    def refused(self, ident: str) -> None:
        """An instance that was to make room may not be moved: it stays where it is from now on."""
        self._drains.forget(self.tasks[ident])
        self._held.add(ident)
        self._detour = None
        self._changed = True

    def failed(self, ident: str, now: float) -> None:
        """A move failed and the instance is still on its host: it gets another target."""
        task = self.tasks[ident]
        self._drains.failed(task, now)
        if task.detour or self._stages.get(task.source) is HostStage.OUT:
            self._drains.forget(task)
            self._detour = None
        self._changed = True

    def occupied(self, host: str) -> bool:
        """A host that was to be worked on is not empty, since something was just started there.

        Returns:
            Whether anything that is known to be there is to be moved now; see `reconcile`.
        """
        there = self._places.on[host].items()
        new = [Task(instance, host) for ident, instance in there if ident not in self.tasks]
        if not new and not self._drains.of(host):
            return False
        self._drains.hold(host, new)
        self._stages[host] = HostStage.DRAINING
        self._changed = True
        return True

    def maintained(self, host: str) -> None:
        """A host is back from its maintenance."""
        self._make_ready(host)

    def drop(self, host: str, now: float) -> None:
        """A host is not to be worked on (any more); what has not begun to move stays there.

        Managers that have been asked are at work all the same, until `settle`.
        """
        self._places.holes.discard(host)
        self._places.ready.discard(host)
        for task in self._drains.let_go(host):
            if task.stage is not TaskStage.MOVING:
                self._drains.withdraw(task)
        self._candidates.discard(host)
        self._stages[host] = HostStage.OUT
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
                self._places.leave(ident, host)
                self._places.take(instance, host)
            self._changed = True
        self._renew_instances(inventory)
        for one in self._places.unexpected(inventory):
            task = self.tasks.get(one.id)
            if self._reported.get(one.id, read_at) > read_at:
                continue
            if not (task and task.stage in UNDER_WAY):
                self._arrived(one)

    def _renew_instances(self, inventory: Inventory) -> None:
        """Takes in whether instances run or were stopped: that decides how they can be moved."""
        for known, status in self._places.changed_status(inventory):
            new = replace(known, status=status)
            self._places.renew(new)
            if task := self.tasks.get(known.id):
                task.instance = new

    def heed(self, constraints: Constraints) -> None:
        """Takes what applications have registered by now."""
        self._drains.heed(constraints)
        tasks = self.tasks
        there = [
            (one, host)
            for host, on in self._places.on.items()
            for one in on.values()
            if one.id not in tasks or not tasks[one.id].makes_room
        ]
        to_come = [(task.instance, task.target) for task in tasks.values() if task.target]
        self._places.room.heed(constraints, [*there, *to_come, *self._drains.kept])
        self._changed = True

    # What the workflow asks

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The moves that are intended or under way, by the instance's id."""
        return self._drains.tasks

    @property
    def next_expiry(self) -> float | None:
        """When the next impacted instance has recovered; None: none is recovering."""
        return self._drains.impact.next_expiry

    @property
    def finished(self) -> bool:
        """Whether no host is left to be worked on."""
        under_way = (HostStage.DRAINING, HostStage.EMPTY, HostStage.WORKED_ON)
        return not self._stages.count(HostStage.PENDING, *under_way)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way that could change anything."""
        return not self._stages.count(HostStage.WORKED_ON) and not self._drains.busy

    def decide(self, now: float) -> Decisions:
        """What may start at this moment; it counts as started."""
        found = Decisions()
        self._drains.expire(now)
        if self._detour is not None:
            self._take_detour(self._detour)
        if self._detour is None:
            self._open_hosts(found)
        for name in self._drains.advance(found):
            if self._stages.get(name) is HostStage.DRAINING:
                self._stages[name] = HostStage.EMPTY
        self._start_work(found)
        return found

    def lacking(self) -> Resources:
        """What the host that is easiest to empty lacks in room elsewhere; at least one vCPU."""
        return lacking(self._places, self._not_empty())

    def blocked(self) -> dict[str, str]:
        """For each host that can't be emptied now, what is in the way, in words."""
        return blocked(self._places, self._not_empty())

    def _not_empty(self) -> list[str]:
        return sorted(self._stages.at(HostStage.PENDING, HostStage.DRAINING))

    # Hosts

    def _open_hosts(self, found: Decisions) -> None:
        """Chooses hosts to drain next, while there is room for their instances."""
        if not self._changed:
            return
        self._changed = False
        self._drains.wake(ROOM)
        self._housing.look_anew()
        for name in self._drains.homeless():
            self._house(name, partly=True)
        failed = 0
        partial = bool(self._drains.homeless())
        for name in self._candidates:
            if not self._slot_ahead():
                return
            if self._places.incoming[name] or self._drains.of(name):
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
        known = self._drains.of(name)
        largest_first = self._places.largest_first(self._places.on[name].values())
        tasks = known or [Task(one, name) for one in largest_first]
        makers = self._housing.house(tasks, partly, self._hungry(), self.tasks)
        if makers is None:
            return False
        self._drains.hold(name, () if known else tasks)
        for maker in makers:
            self._drains.hold(maker.source, [maker])
        return True

    def _hungry(self) -> bool:
        """Whether more hosts could be worked on now, if they were empty."""
        limit = self._options.parallel_hosts
        return limit is None or self._begun_hosts() < limit

    def _begun_hosts(self) -> int:
        return self._stages.count(HostStage.DRAINING, HostStage.EMPTY, HostStage.WORKED_ON)

    def _slot_ahead(self) -> bool:
        """Whether one more host may be drained: enough to fill all slots twice, not more."""
        limit = self._options.parallel_hosts
        if limit is None:
            return True
        first = not len(self._places.ready)
        return self._begun_hosts() < (limit if first else 2 * limit)

    def _open(self, name: str, found: Decisions, why: str) -> None:
        self._candidates.discard(name)
        self._stages[name] = HostStage.DRAINING if self._places.on[name] else HostStage.EMPTY
        self._places.holes.discard(name)
        found.drain.append((name, why))

    def _why_open(self, name: str) -> str:
        tasks = self._drains.of(name)
        second = sum(task.second for task in tasks)
        where = "maintained hosts" if not second else "hosts that still have room"
        return f"all its {len(tasks)} instances have a place on {where}"

    def _start_work(self, found: Decisions) -> None:
        limit = self._options.parallel_hosts
        for name in self._stages.at(HostStage.EMPTY):
            if limit is not None and self._stages.count(HostStage.WORKED_ON) >= limit:
                return
            self._stages[name] = HostStage.WORKED_ON
            found.maintain.append(name)

    def _await(self, name: str) -> None:
        self._stages[name] = HostStage.PENDING
        self._candidates.add(name)

    def _make_ready(self, name: str) -> None:
        self._stages[name] = HostStage.READY
        self._places.ready.add(name)
        self._changed = True

    # Instances

    def _close(self, task: Task) -> None:
        """The instance is off its host."""
        self._drains.close(task)
        # Only then may hosts be chosen that could not before: those that take part in second
        # moves. The room that a drained host has left is of no use until it is maintained.
        self._changed = self._changed or task.second or task.makes_room

    def _arrived(self, instance: Instance) -> None:
        """An instance is on a host that was not expected there."""
        host = instance.host
        self._places.arrive(instance)
        self._places.put(instance, host)
        self._drains.arrived(instance)
        self._changed = True
        if self._stages.get(host) in (HostStage.DRAINING, HostStage.EMPTY):
            self._stages[host] = HostStage.DRAINING
            self._drains.hold(host, [Task(instance, host)])

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
            self._drains.hold(step.source, [task])
            return
        self._detour = None
        self._changed = True

    def _look_at_hosts(self) -> None:
        """Notes which hosts take instances (not) any more."""
        for name in self._stages.at(HostStage.READY, HostStage.PENDING):
            ready = self._stages[name] is HostStage.READY
            shelf = self._places.ready if ready else self._places.holes
            host = self._places.hosts.get(name)
            usable = host is not None and host.up and host.enabled
            if usable is (name in shelf):
                continue
            if usable:
                shelf.add(name)
            else:
                shelf.discard(name)
            self._changed = True
