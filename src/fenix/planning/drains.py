"""The instances that are to leave their hosts: which may be asked for, and which may move now.

Of thousands of hosts only those are looked at for which something has changed: each names what it
lacks (a slot of a group, a slot for a move, room for a replacement) and sleeps until there is one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from fenix.domain import Constraints, Instance
from fenix.planning.housing import homeless
from fenix.planning.impact import Impact
from fenix.planning.mitigation import Mitigation
from fenix.planning.move_slots import MoveSlots
from fenix.planning.places import Places
from fenix.planning.tasks import (
    AHEAD,
    UNDER_WAY,
    Decisions,
    RollingOptions,
    Task,
    TaskStage,
)

ROOM = "room"
"""What hosts wait for whose instances need room for a replacement."""


class Drains:
    """The tasks of all hosts that are being drained, or that give an instance to make room.

    Attributes:
        tasks: by the instance's id.
        impact: how many members of each group are impacted.
    """

    def __init__(self, places: Places, constraints: Constraints, options: RollingOptions) -> None:
        self.tasks: dict[str, Task] = {}
        self.impact = Impact(constraints, options.default_members)
        self._places = places
        self._mitigation = Mitigation(places, constraints)
        self._moves = MoveSlots(options)
        self._per_host = options.parallel_migrations_per_host
        self._of: dict[str, dict[str, Task]] = {}
        self._awake: set[str] = set()
        self._asleep: defaultdict[str, set[str]] = defaultdict(set)
        """The hosts that wait for something, by what it is."""
        self._homeless: dict[str, None] = {}
        """Hosts whose instances may not all have a place."""
        self._withdrawn: dict[str, Instance] = {}
        """Instances that were asked for in vain, and whose managers have not answered yet."""

    # Tasks

    def of(self, host: str) -> Collection[Task]:
        """The tasks of a host."""
        return self._of.get(host, {}).values()

    def hold(self, host: str, tasks: Iterable[Task] = ()) -> None:
        """Begins to drain a host, or adds tasks there."""
        mine = self._of.setdefault(host, {})
        for task in tasks:
            mine[task.instance.id] = self.tasks[task.instance.id] = task
            if task.target is None:
                self._homeless[host] = None
        self._awake.add(host)

    def let_go(self, host: str) -> list[Task]:
        """Drains a host no more; what has begun to move goes on all the same.

        Returns:
            The tasks that it had.
        """
        self._homeless.pop(host, None)
        return list(self._of.pop(host, {}).values())

    def homeless(self) -> list[str]:
        """The hosts with instances that have no place yet."""
        found = [name for name in self._of if name in self._homeless and homeless(self.of(name))]
        self._homeless = dict.fromkeys(found)
        return found

    def wake(self, what: str) -> None:
        """There is a new chance for all hosts that wait for something."""
        if what in self._asleep:
            self._awake |= self._asleep.pop(what)

    @property
    def busy(self) -> bool:
        """Whether an answer or the end of a move is to come."""
        going_on = (TaskStage.ASKED, TaskStage.MOVING)
        return bool(self._withdrawn) or any(task.stage in going_on for task in self.tasks.values())

    # What happens to them

    def agreed(self, ident: str) -> None:
        """The manager of an instance has agreed, or need not be asked."""
        task = self.tasks[ident]
        task.stage = TaskStage.AGREED
        self._awake.add(task.source)

    def failed(self, task: Task, now: float) -> None:
        """A move has failed; the task waits for another target."""
        self._end_move(task)
        if task.target is not None:
            task.failed_on.add(task.target)
        self.impact.recover(task.instance, now)
        task.stage = TaskStage.WAITING
        self._places.unreserve(task)
        self._homeless[task.source] = None
        self._awake.add(task.source)

    def close(self, task: Task) -> None:
        """The instance is off its host."""
        self._end_move(task)
        self._remove(task)
        if self._places.leave(task.instance.id, task.source) and not task.makes_room:
            self._places.take(task.instance, task.source)

    def forget(self, task: Task) -> None:
        """The instance stays where it is."""
        self._places.unreserve(task)
        self._mitigation.release(task.instance)
        self.wake(ROOM)
        if task.stage in AHEAD:
            self.give_back(task.instance)
        if task.makes_room:
            self._places.put(task.instance, task.source)
            self._look_elsewhere(task.instance.id)
        self._remove(task)

    def withdraw(self, task: Task) -> None:
        """The instance stays where it is; who was asked for it is busy with it until `settle`."""
        self.forget(task)
        if task.stage is TaskStage.ASKED:
            self.asked_before(task.instance)

    def asked_before(self, instance: Instance) -> None:
        """A manager may be busy with an instance, asked by a task that is not there any more."""
        self.impact.take(instance)
        self._withdrawn[instance.id] = instance

    def settle(self, ident: str, now: float, impacted: bool) -> None:
        """The question about an instance that was withdrawn, if it was, is over."""
        instance = self._withdrawn.pop(ident, None)
        task = self.tasks.get(ident)
        if instance is None or (task and task.stage in UNDER_WAY):
            return  # What it counts for is what is under way now.
        if impacted:
            self.impact.recover(instance, now)
        else:
            self.give_back(instance)

    def _look_elsewhere(self, ident: str) -> None:
        """Takes the places back that an instance was to make room for."""
        for task in self.tasks.values():
            if ident in task.after and task.stage is not TaskStage.MOVING:
                self._places.unreserve(task)
                self._homeless[task.source] = None

    def give_back(self, instance: Instance) -> None:
        """An instance is not impacted any more, and never was."""
        self.wake(f"group {self.impact.give_back(instance)}")

    @property
    def kept(self) -> Collection[tuple[Instance, str]]:
        """See `Mitigation.kept`."""
        return self._mitigation.kept

    def heed(self, constraints: Constraints) -> None:
        """Goes by other constraints from now on."""
        self.impact.heed(constraints)
        self._mitigation.heed(constraints)
        self._awake.update(self._of)

    def expire(self, now: float) -> None:
        """Notes who has recovered by now."""
        for group in self.impact.expire(now):
            self.wake(f"group {group}")

    def arrived(self, instance: Instance) -> None:
        """A new instance may be a replacement that room was kept for."""
        self._mitigation.arrived(instance)
        self.wake(ROOM)

    def waive(self) -> list[Instance]:
        """See `Mitigation.waive`."""
        self.wake(ROOM)
        return self._mitigation.waive()

    def _end_move(self, task: Task) -> None:
        if task.stage is TaskStage.MOVING:
            self._moves.give_back(task)
            for slot in self._moves.slots(task):
                self.wake(slot)
        self._mitigation.release(task.instance)
        self.wake(ROOM)

    def _remove(self, task: Task) -> None:
        ident = task.instance.id
        del self.tasks[ident]
        self._of.get(task.source, {}).pop(ident, None)
        self._awake.add(task.source)
        self.wake(f"instance {ident}")

    # What may start

    def advance(self, found: Decisions) -> Iterator[str]:
        """Asks for and moves instances, as far as limits allow.

        Yields:
            The hosts that all have left.
        """
        awake, self._awake = self._awake, set()
        for host in [host for host in self._of if host in awake]:
            if self._of[host]:
                self._advance(host, found)
            else:
                del self._of[host]
                yield host

    def _advance(self, host: str, found: Decisions) -> None:
        tasks = self._of[host]
        ahead = 0
        for task in tasks.values():
            if task.stage is TaskStage.AGREED and self._may_move(task):
                task.stage = TaskStage.MOVING
                self._moves.take(task)
                found.move.append(task)
            ahead += task.stage in AHEAD
        for task in tasks.values():
            if task.stage is not TaskStage.WAITING or (task.target is None and task.makes_room):
                continue
            if self._per_host is not None and ahead >= 2 * self._per_host:
                return
            if self._may_ask(task):
                self.impact.take(task.instance)
                task.stage = TaskStage.ASKED
                found.ask.append(task)
                ahead += 1

    def _may_move(self, task: Task) -> bool:
        """Whether a move may begin; if not, the host waits for what it lacks."""
        if task.target is None:
            return False
        lacking = [f"instance {ident}" for ident in task.after if ident in self.tasks]
        return self._has(task, lacking or self._moves.lacking(task))

    def _may_ask(self, task: Task) -> bool:
        """Whether an instance may be asked for; if not, the host waits for what it lacks."""
        if not self.impact.free(task.instance):
            return self._has(task, [f"group {self.impact.group_of(task.instance)}"])
        return self._has(task, [] if self._mitigation.keep(task) else [ROOM])

    def _has(self, task: Task, lacking: Collection[str]) -> bool:
        for what in lacking:
            self._asleep[what].add(task.source)
        return not lacking
