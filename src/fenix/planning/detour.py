"""Finds a series of single moves that empties a host, where simple choices have found none.

Every move can be taken back, and a maintained host takes instances as one that is not does. So
whether a host can be emptied does not depend on what was done before: it can, if and only if some
series of single moves from the present state does it. That is searched for, shortest first;
exhaustively in small clouds, in large ones among the hosts that have most room.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fenix.domain import Instance
from fenix.planning.room import Room

HOSTS = 12
"""Among how many hosts is searched."""
TRIALS = 80_000
"""How many moves are looked at before the search is given up."""

State = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a detour."""

    instance: Instance
    source: str
    target: str


def detour(
    on: Mapping[str, Mapping[str, Instance]],
    room: Room,
    open_hosts: Iterable[str],
    goals: Iterable[str],
) -> list[Step] | None:
    """The moves that make one of the goals empty.

    Args:
        on: the instances on each host, by id.
        room: the ledger of the present state; it is left as it was.
        open_hosts: hosts that take instances.
        goals: the hosts of which one is to be empty; they are among `open_hosts`.

    Returns:
        The moves in their order, none if a goal is empty already; None: nothing was found.
    """
    roomy = sorted(open_hosts, key=lambda name: (-room.free(name).vcpus, name))[:HOSTS]
    search = _Search(on, room, roomy, set(goals) & set(roomy))
    return search.run()


class _Search:
    def __init__(
        self,
        on: Mapping[str, Mapping[str, Instance]],
        room: Room,
        hosts: Collection[str],
        goals: Collection[str],
    ) -> None:
        self._room = room
        self._hosts = sorted(hosts)
        self._goals = sorted(goals)
        self._instances = sorted(
            (one for name in self._hosts for one in on.get(name, {}).values()),
            key=lambda one: one.id,
        )
        self._kinds = [repr(room.kind(one)) for one in self._instances]
        start = {ident: name for name in self._hosts for ident in on.get(name, {})}
        self._start: State = tuple(start[one.id] for one in self._instances)
        self._shown = self._start
        self._trials = 0

    def run(self) -> list[Step] | None:
        """Best first: the length so far, and how much is left at least, which counts more."""
        came: dict[State, tuple[State, int] | None] = {self._start: None}
        seen = {self._alike(self._start)}
        queue = [(0, 0, 0, self._start)]
        number = 0
        found: State | None = None
        try:
            while queue and found is None and self._trials < TRIALS:
                _, length, _, state = heapq.heappop(queue)
                self._show(state)
                if self._left(state) == 0:
                    found = state
                    break
                for index, target in self._moves(state):
                    after = (*state[:index], target, *state[index + 1 :])
                    alike = self._alike(after)
                    if alike in seen:
                        continue
                    seen.add(alike)
                    came[after] = state, index
                    number += 1
                    rank = length + 1 + 2 * self._left(after)
                    heapq.heappush(queue, (rank, length + 1, number, after))
        finally:
            self._show(self._start)
        return None if found is None else self._steps(found, came)

    def _steps(self, state: State, came: Mapping[State, tuple[State, int] | None]) -> list[Step]:
        steps: list[Step] = []
        while origin := came[state]:
            before, index = origin
            steps.append(Step(self._instances[index], before[index], state[index]))
            state = before
        return steps[::-1]

    def _moves(self, state: State) -> Iterable[tuple[int, str]]:
        """What may move where in the state that the ledger shows."""
        tried: set[tuple[str, str, str]] = set()
        for index, instance in enumerate(self._instances):
            for host in self._hosts:
                same = (self._kinds[index], state[index], host)
                if host == state[index] or same in tried:
                    continue
                tried.add(same)
                self._trials += 1
                if self._room.obstacle(instance, host) is None:
                    yield index, host

    def _left(self, state: State) -> int:
        """How many instances are on the goal that has fewest."""
        return min((state.count(goal) for goal in self._goals), default=1)

    def _show(self, state: State) -> None:
        """Brings the ledger to a state."""
        for instance, was, now in zip(self._instances, self._shown, state, strict=True):
            if was != now:
                self._room.take(instance, was)
                self._room.put(instance, now)
        self._shown = state

    def _alike(self, state: State) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(zip(self._kinds, state, strict=True)))
