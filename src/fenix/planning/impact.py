"""Counts how many members of each group are impacted, so that limits hold at each moment.

A member counts from the moment it is asked for, which is earlier than the constraint demands:
its manager prepares for the move (switches over, drains) while it answers. It counts until its
recovery time is over (wire contract, "Constraints").
"""

import heapq
from collections import Counter

from fenix.domain import Constraints, Instance


class Impact:
    """The slots of all groups. Times are in seconds on any one clock.

    Args:
        constraints: the applications' limits.
        default_members: the limit of a group that has registered none.
    """

    def __init__(self, constraints: Constraints, default_members: int = 1) -> None:
        self._constraints = constraints
        self._default = default_members
        self._taken: Counter[str] = Counter()
        self._recovering: list[tuple[float, str]] = []
        self._counted: dict[str, str] = {}
        """The group that an impacted instance counts in, whatever is registered meanwhile."""

    def group_of(self, instance: Instance) -> str | None:
        """The group whose limit counts for an instance: the registered one, else the cloud's."""
        registered = self._constraints.instances.get(instance.id)
        if registered and registered.group_id:
            return registered.group_id
        return instance.group_id

    def limit(self, group: str) -> int:
        """How many members of a group may be impacted at one time."""
        limits = self._constraints.groups.get(group)
        return limits.max_impacted_members if limits else self._default

    def recovery(self, group: str) -> float:
        """How long a member of a group is impacted after its move, in seconds."""
        limits = self._constraints.groups.get(group)
        return limits.recovery_time if limits else 0.0

    def free(self, instance: Instance) -> bool:
        """Whether one more of the instance's group may be impacted, or it counts already."""
        group = self.group_of(instance)
        counted = instance.id in self._counted
        return group is None or counted or self._taken[group] < self.limit(group)

    def take(self, instance: Instance) -> None:
        """Counts the instance as impacted, if it does not count already."""
        group = self.group_of(instance)
        if group and instance.id not in self._counted:
            self._taken[group] += 1
            self._counted[instance.id] = group

    def give_back(self, instance: Instance) -> str | None:
        """The instance is not impacted any more, without a time of recovery; its group."""
        group = self._counted.pop(instance.id, None)
        if group is not None:
            self._taken[group] -= 1
        return group

    def recover(self, instance: Instance, ended: float) -> None:
        """The instance's move has ended: it counts until its recovery time is over."""
        if group := self._counted.pop(instance.id, None):
            heapq.heappush(self._recovering, (ended + self.recovery(group), group))

    def heed(self, constraints: Constraints) -> None:
        """Goes by other constraints from now on."""
        self._constraints = constraints

    def expire(self, now: float) -> list[str]:
        """Gives back the slots of those that have recovered; the groups that these are of."""
        found = []
        while self._recovering and self._recovering[0][0] <= now:
            _, group = heapq.heappop(self._recovering)
            self._taken[group] -= 1
            found.append(group)
        return found

    @property
    def next_expiry(self) -> float | None:
        """When the next member has recovered; None: none is recovering."""
        return self._recovering[0][0] if self._recovering else None
