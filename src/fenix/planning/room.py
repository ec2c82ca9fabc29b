"""A ledger of what hosts have room for; plans are made on it before anything is done.

It counts all resources, and the limits of groups: both the cloud's server groups and the groups
of the applications' constraints.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from fenix.domain import Constraints, Host, HostType, Instance, Inventory, Resources, keeps_out


class Room:
    """Free resources and group members of each host. Changes when something is put or taken.

    Args:
        inventory: the cloud; what it says is used stays used.
        constraints: the applications' limits; None: only the cloud's own.
    """

    def __init__(self, inventory: Inventory, constraints: Constraints | None = None) -> None:
        self.hosts: Mapping[str, Host] = inventory.hosts
        self._free = {name: host.free for name, host in inventory.hosts.items()}
        self._groups = inventory.groups
        self._members: Counter[tuple[str, str]] = Counter()
        self._limits: dict[str, int] = {}
        there = ((instance, instance.host) for instance in inventory.instances.values())
        self.heed(constraints or Constraints(), there)

    def heed(self, constraints: Constraints, there: Iterable[tuple[Instance, str]]) -> None:
        """Goes by other constraints from now on.

        Args:
            there: all instances with each host on which they count.
        """
        self._constraints = constraints
        self._limits.clear()
        for group in self._groups.values():
            self._limit(group.id, group.anti_affinity, group.max_instances_per_host)
        for limits in constraints.groups.values():
            self._limit(limits.group_id, limits.anti_affinity_group, limits.max_instances_per_host)
        self._members.clear()
        for instance, host in there:
            for group_id in self.groups_of(instance):
                self._members[host, group_id] += 1

    def groups_of(self, instance: Instance) -> tuple[str, ...]:
        """The groups of an instance that have a limit for each host."""
        found = [instance.group_id] if instance.group_id is not None else []
        registered = self._constraints.instances.get(instance.id)
        if registered and registered.group_id not in found:
            found.append(registered.group_id)
        return tuple(group for group in found if group in self._limits)

    def kind(self, instance: Instance) -> tuple[object, ...]:
        """What decides where an instance may go: those of one kind may go to the same places."""
        return (
            instance.size,
            self.groups_of(instance),
            instance.zone,
            instance.project_id,
            instance.requires,
        )

    def free(self, host: str) -> Resources:
        """What is left on a host."""
        return self._free[host]

    def obstacle(self, instance: Instance, host: str) -> str | None:
        """Why an instance can't go to a host, in words; None: it can."""
        target = self.hosts[host]
        if target.type is not HostType.COMPUTE:
            return "it is not a compute host"
        if not target.up:
            return "it is down"
        if never := keeps_out(target, instance):
            return never
        lacking = instance.size.lacking(self._free[host])
        if any(lacking):
            return f"it lacks {lacking}"
        for group in self.groups_of(instance):
            if self._members[host, group] >= self._limits[group]:
                return f"it has its {self._limits[group]} of group {group}"
        return None

    def put(self, instance: Instance, host: str) -> None:
        """Takes an instance's room on a host."""
        self._free[host] = self._free[host].minus(instance.size)
        for group in self.groups_of(instance):
            self._members[host, group] += 1

    def take(self, instance: Instance, host: str) -> None:
        """Gives an instance's room on a host back."""
        self._free[host] = self._free[host].plus(instance.size)
        for group in self.groups_of(instance):
            self._members[host, group] -= 1

    def _limit(self, group_id: str, apart: bool, most: int) -> None:
        limit = most or (1 if apart else 0)
        if limit:
            self._limits[group_id] = min(limit, self._limits.get(group_id, limit))
