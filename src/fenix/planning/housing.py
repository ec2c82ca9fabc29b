"""Finds places for all instances of a host, and decides what second moves are worth.

Maintained hosts come first. Others cost a second move later, of which there are only so many; with
two of them an instance there can even make room for a larger one.
"""

from collections.abc import Collection, Iterable

from fenix.planning.places import Places
from fenix.planning.tasks import Task, TaskStage

LOOKED_AT = 60
"""How many hosts are looked at when room is to be made on one."""
UNLIMITED = 1 << 60


def homeless(tasks: Iterable[Task]) -> list[Task]:
    """Those that have no place yet."""
    return [task for task in tasks if task.target is None and task.stage is not TaskStage.MOVING]


class Housing:
    """Reserves places.

    Attributes:
        budget: how many second moves may still be made.
    """

    def __init__(self, places: Places, budget: int) -> None:
        self._places = places
        self.budget = budget
        self._hopeless: set[tuple[object, ...]] = set()

    def look_anew(self) -> None:
        """Something has changed: what was hopeless may not be any more."""
        self._hopeless.clear()

    def house(
        self, tasks: Collection[Task], partly: bool, hungry: bool, busy: Collection[str]
    ) -> list[Task] | None:
        """Reserves places for the instances of one host that have none.

        Args:
            tasks: the largest instances first.
            partly: keep what was reserved even if not all have a place.
            hungry: whether it is worth second moves.
            busy: ids of instances that have a task already.

        Returns:
            The tasks that make room for them; None: they have not all (with `partly`: none of
            them has) got a place, and nothing is reserved.
        """
        places = self._places
        waiting = homeless(tasks)
        housed: list[Task] = []
        makers: list[Task] = []
        for task in waiting:
            if target := places.best(places.ready, task):
                task.second = False
                places.reserve(task, target)
            elif not partly and not (hungry and self._house_second(task, makers, busy)):
                break
            if task.target is not None:
                housed.append(task)
        complete = len(housed) == len(waiting)
        if not (complete or (partly and housed)):
            for task in (*housed, *makers):
                self.budget += task.second
                places.unreserve(task)
            for maker in makers:
                places.put(maker.instance, maker.source)
            return None
        for task in housed:
            kind = "not yet maintained, but has room" if task.second else "maintained"
            task.why = (
                f"host {task.source} is to be empty; host {task.target} is {kind} and fits best"
            )
        return makers

    def _house_second(self, task: Task, makers: list[Task], busy: Collection[str]) -> bool:
        """Reserves a place on a host that is not maintained yet, if need be by making room there.

        Args:
            makers: the moves that make room; one may be added.
        """
        places = self._places
        if self.budget < 1:
            return False
        if target := places.best(places.holes, task):
            self.budget -= 1
            task.second = True
            places.reserve(task, target)
            return True
        if self.budget < 2 or places.room.kind(task.instance) in self._hopeless:
            return False
        taken = {*busy, *(maker.instance.id for maker in makers)}
        for host in places.holes.roomiest(LOOKED_AT):
            if host == task.source or places.incoming[host]:
                continue
            maker = places.make_room(task.instance, host, task.source, taken)
            if maker is None:
                continue
            makers.append(maker)
            self.budget -= 1 + maker.second
            task.second, task.after = True, frozenset((maker.instance.id,))
            places.reserve(task, host)
            return True
        self._hopeless.add(places.room.kind(task.instance))
        return False
