"""Counts the moves under way, in the whole cloud and on each host."""

from collections import Counter

from fenix.planning.tasks import RollingOptions, Task

ANYWHERE = "slot"
"""The slot that every move takes."""


class MoveSlots:
    """The slots for moves that the session's options give."""

    def __init__(self, options: RollingOptions) -> None:
        self._total = options.parallel_migrations
        self._per_host = options.parallel_migrations_per_host
        self._moving: Counter[str | None] = Counter()
        self._under_way = 0

    def lacking(self, task: Task) -> list[str]:
        """The slots that are missing for the move of an instance with a target; empty: none."""
        if self._total is not None and self._under_way >= self._total:
            return [ANYWHERE]
        if self._per_host is None:
            return []
        both = (task.source, task.target)
        return [f"slot {place}" for place in both if self._moving[place] >= self._per_host]

    @staticmethod
    def slots(task: Task) -> tuple[str, ...]:
        """All slots that a move takes."""
        return ANYWHERE, f"slot {task.source}", f"slot {task.target}"

    def take(self, task: Task) -> None:
        """The move begins."""
        self._count(task, 1)

    def give_back(self, task: Task) -> None:
        """The move has ended."""
        self._count(task, -1)

    def _count(self, task: Task, change: int) -> None:
        self._under_way += change
        self._moving[task.source] += change
        self._moving[task.target] += change
