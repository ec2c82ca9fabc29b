"""Empties a host by moving aside what is in the way, where simple choices have found no place.

An instance that fits nowhere goes where smaller ones can make room for it, and for these still
smaller ones may. That finds ways through large and nearly full clouds in which a search through
all series of moves (`fenix.planning.detour`) would get nowhere.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, combinations

from fenix.domain import Instance
from fenix.planning.detour import Step
from fenix.planning.placement import share
from fenix.planning.room import Room

DEPTH = 3
"""How often something that makes room may itself need room that is made."""
ASIDE = 3
"""How many instances may be moved aside at once for one."""
FEW = 12
"""Of how many of the instances on a host several are moved aside at once: the largest ones."""
HOSTS = 40
"""Among how many hosts places are looked for: those with most room."""
GOALS = 10
"""How many hosts are tried: those with the fewest instances."""
TRIALS = 80_000
"""How many places are looked at before it is given up, the same number for each host."""
ORDERS = 12
"""How many orders of a host's instances are tried: what found no place comes first in the next."""


def eject(
    on: Mapping[str, Mapping[str, Instance]],
    room: Room,
    open_hosts: Iterable[str],
    goals: Iterable[str],
) -> list[Step] | None:
    """The moves that make one of the goals empty, each of them possible when its turn comes.

    Args and returns are those of `fenix.planning.detour.detour`.
    """
    taking = set(open_hosts)
    roomy = sorted(taking, key=lambda name: (-room.free(name).vcpus, name))[:HOSTS]
    easiest = sorted(taking.intersection(goals), key=lambda name: (len(on[name]), name))[:GOALS]
    for goal in easiest:
        steps = _Ejection(on, room, {*roomy, goal}, TRIALS // len(easiest)).empty(goal)
        if steps is not None:
            return steps
    return None


class _Ejection:
    def __init__(
        self,
        on: Mapping[str, Mapping[str, Instance]],
        room: Room,
        hosts: Collection[str],
        trials: int,
    ) -> None:
        self._on = {name: dict(on.get(name, {})) for name in hosts}
        self._room = room
        self._hosts = sorted(hosts)
        self._steps: list[Step] = []
        self._trials_left = trials

    def empty(self, goal: str) -> list[Step] | None:
        """The moves that empty one host; the ledger is left as it was."""
        hard: Counter[str] = Counter()
        capacity = self._room.hosts[goal].capacity
        leaving = list(self._on[goal].values())
        for _ in range(ORDERS):
            leaving.sort(key=lambda one: (-hard[one.id], -share(one.size, capacity), one.id))
            failed = next(
                (one for one in leaving if not self._place(one, goal, {goal}, DEPTH)), None
            )
            steps = list(self._steps)
            self._back_to(0)
            if failed is None:
                return steps
            if self._trials_left <= 0 or hard[failed.id] > 1:
                break
            hard[failed.id] += 1
        return None

    def _place(self, one: Instance, source: str, avoid: Collection[str], depth: int) -> bool:
        """Moves an instance to some other host, if need be after others there; or nothing."""
        others = [name for name in self._hosts if name not in avoid]
        self._trials_left -= len(others)
        fitting = [name for name in others if self._room.obstacle(one, name) is None]
        if fitting:
            self._move(one, source, min(fitting, key=lambda name: self._left(one, name)))
            return True
        if depth == 0:
            return False
        for host in sorted(others, key=lambda name: self._lacking(one, name)):
            for aside in self._aside(one, host):
                if self._trials_left <= 0:
                    return False
                mark = len(self._steps)
                if all(self._place(each, host, {*avoid, host}, depth - 1) for each in aside):
                    self._move(one, source, host)
                    return True
                self._back_to(mark)
        return False

    def _aside(self, one: Instance, host: str) -> Iterator[tuple[Instance, ...]]:
        """What could leave a host so that an instance fits there: few, and small ones first."""
        capacity = self._room.hosts[host].capacity
        size = share(one.size, capacity)
        smaller = sorted(
            (each for each in self._on[host].values() if share(each.size, capacity) < size),
            key=lambda each: (share(each.size, capacity), each.id),
        )
        kinds: set[tuple[object, ...]] = set()
        for aside in chain.from_iterable(
            combinations(smaller[-FEW:] if count > 1 else smaller, count)
            for count in range(1, ASIDE + 1)
        ):
            kind = tuple(sorted(repr((each.size, self._room.groups_of(each))) for each in aside))
            if kind not in kinds and self._would_fit(one, host, aside):
                kinds.add(kind)
                yield aside[::-1]

    def _would_fit(self, one: Instance, host: str, aside: Iterable[Instance]) -> bool:
        gone = list(aside)
        for each in gone:
            self._room.take(each, host)
        self._trials_left -= 1
        fits = self._room.obstacle(one, host) is None
        for each in gone:
            self._room.put(each, host)
        return fits

    def _left(self, one: Instance, host: str) -> tuple[float, str]:
        left = self._room.free(host).minus(one.size)
        return share(left, self._room.hosts[host].capacity), host

    def _lacking(self, one: Instance, host: str) -> tuple[float, str]:
        lacking = one.size.lacking(self._room.free(host))
        return share(lacking, self._room.hosts[host].capacity), host

    def _move(self, one: Instance, source: str, target: str) -> None:
        self._shift(one, source, target)
        self._steps.append(Step(one, source, target))

    def _back_to(self, mark: int) -> None:
        while len(self._steps) > mark:
            step = self._steps.pop()
            self._shift(step.instance, step.target, step.source)

    def _shift(self, one: Instance, source: str, target: str) -> None:
        del self._on[source][one.id]
        self._on[target][one.id] = one
        self._room.take(one, source)
        self._room.put(one, target)
