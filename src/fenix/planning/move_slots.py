"""Counts the moves under way, in the whole cloud and on each host."""

from collections import Counter

from fenix.planning.tasks import RollingOptions, Task


class MoveSlots:
    """The slots for moves that the session's options give."""

    def __init__(self, options: RollingOptions) -> None:
        self._total = options.parallel_migrations
        self._per_host = options.parallel_migrations_per_host
        self._moving: Counter[str | None] = Counter()
        self._under_way = 0

    def free(self, task: Task) -> bool:
        """Whether the move of an instance with a target may begin."""
        if self._total is not None and self._under_way >= self._total:
            return False
        per_host = self._per_host
        both = (task.source, task.target)
        return per_host is None or all(self._moving[place] < per_host for place in both)

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
