"""The books of the rolling decisions: what is where, what is on its way, and what has room.

A place is reserved for an instance as soon as it is decided, so that no two count on the same room.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from fenix.domain import Constraints, Host, Instance, InstanceStatus, Inventory
from fenix.planning.placement import share
from fenix.planning.room import Room
from fenix.planning.shelves import Shelves
from fenix.planning.tasks import Task


class Places:
    """What is on each host, and the hosts that may take more.

    Attributes:
        on: the instances on each host, by id; changes by `arrive` and `leave` only.
        load: their vCPUs.
        incoming: how many instances have a place reserved on each host.
        ready: the hosts that may take instances for good.
        holes: hosts that are not maintained yet; what they take moves once more later.
    """

    def __init__(self, inventory: Inventory, constraints: Constraints) -> None:
        self.hosts = inventory.hosts
        self.room = Room(inventory, constraints)
        self.on: dict[str, dict[str, Instance]] = {name: {} for name in inventory.hosts}
        self.load: Counter[str] = Counter()
        self._changed: dict[str, None] = {}
        for instance in inventory.instances.values():
            self.arrive(instance)
        self.incoming: Counter[str] = Counter()
        self.ready = Shelves(self.room)
        self.holes = Shelves(self.room)

    def arrive(self, instance: Instance) -> None:
        """Notes that an instance is on its host."""
        host = instance.host
        on = self.on.setdefault(host, {})
        if instance.id in on:
            self.leave(instance.id, host)
        on[instance.id] = instance
        self.load[host] += instance.size.vcpus
        self._changed[host] = None

    def leave(self, ident: str, host: str) -> bool:
        """Notes that an instance is not on a host any more; whether it was."""
        instance = self.on[host].pop(ident, None)
        if instance is None:
            return False
        self.load[host] -= instance.size.vcpus
        self._changed[host] = None
        return True

    def take_changed(self) -> list[str]:
        """The hosts on which instances have come or gone since the last time."""
        found = list(self._changed)
        self._changed.clear()
        return found

    def renew_hosts(self, hosts: Mapping[str, Host]) -> None:
        """Takes hosts as the cloud has them now; those that it does not list any more are down."""
        lost = {
            name: replace(host, up=False) for name, host in self.hosts.items() if name not in hosts
        }
        self.hosts = self.room.hosts = lost | dict(hosts)

    def strayed(self, inventory: Inventory) -> list[tuple[str, Instance]]:
        """Instances that are not, or not any more, on the host that they are known to be on."""
        return [
            (host, instance)
            for host, on in self.on.items()
            for ident, instance in on.items()
            if (now := inventory.instances.get(ident)) is None or now.host != host
        ]

    def changed_status(self, inventory: Inventory) -> list[tuple[Instance, InstanceStatus]]:
        """Instances that run although they were stopped, or the other way, with how they are now.

        While something is under way with one, nothing is known of what it will be.
        """
        return [
            (instance, now.status)
            for on in self.on.values()
            for ident, instance in on.items()
            if (now := inventory.instances.get(ident)) is not None
            and now.status is not instance.status
            and now.status is not InstanceStatus.BUSY
        ]

    def renew(self, instance: Instance) -> None:
        """Knows an instance otherwise; it is where it was."""
        self.on[instance.host][instance.id] = instance

    def unexpected(self, inventory: Inventory) -> list[Instance]:
        """Instances that are not known to be where they are.

        Hosts that were added meanwhile play no part.
        """
        return [
            one
            for one in inventory.instances.values()
            if (on := self.on.get(one.host)) is not None and one.id not in on
        ]

    def put(self, instance: Instance, host: str) -> None:
        """Takes an instance's room on a host."""
        self.room.put(instance, host)
        self.ready.refresh(host)
        self.holes.refresh(host)

    def take(self, instance: Instance, host: str) -> None:
        """Gives an instance's room on a host back."""
        self.room.take(instance, host)
        self.ready.refresh(host)
        self.holes.refresh(host)

    def reserve(self, task: Task, target: str) -> None:
        """Keeps a place for an instance."""
        task.target = target
        self.incoming[target] += 1
        self.put(task.instance, target)

    def unreserve(self, task: Task) -> None:
        """Gives the place of an instance back, if it has one."""
        if task.target is not None:
            self.incoming[task.target] -= 1
            self.take(task.instance, task.target)
            task.target, task.after = None, frozenset()

    def best(self, shelves: Shelves, task: Task) -> str | None:
        """The best place for an instance, if need be one that did not take it before."""
        best = shelves.best(task.instance, {task.source, *task.failed_on})
        if best is None and task.failed_on:
            best = shelves.best(task.instance, (task.source,))
        return best

    def make_room(
        self, instance: Instance, host: str, source: str, busy: Collection[str]
    ) -> Task | None:
        """Finds an instance on a host that can go elsewhere, so that another one fits there.

        Args:
            source: the host of the other one, which is to be empty.
            busy: ids of instances that have a task already.

        Returns:
            The task of the instance that goes, its place reserved; None: there is none.
        """
        lacking = instance.size.lacking(self.room.free(host))
        for small in sorted(self.on[host].values(), key=lambda one: (one.size, one.id)):
            if small.size.vcpus >= instance.size.vcpus:
                return None
            if small.id in busy or not lacking.fits(small.size):
                continue
            self.take(small, host)
            if self.room.obstacle(instance, host) is None:
                place = self.ready.best(small) or self.holes.best(small, (host, source))
                if place is not None:
                    maker = Task(small, host, second=place in self.holes, makes_room=True)
                    self.reserve(maker, place)
                    maker.why = (
                        f"it makes room on host {host} for instance {instance.id}; "
                        f"host {place} fits best"
                    )
                    return maker
            self.put(small, host)
        return None

    def largest_first(self, instances: Iterable[Instance]) -> list[Instance]:
        """In the order in which they are best placed."""

        def size(one: Instance) -> float:
            return share(one.size, self.hosts[one.host].capacity)

        return sorted(instances, key=lambda one: (-size(one), one.id))

    def why_homeless(self, instance: Instance, source: str) -> str:
        """Why an instance of a host has no place, in words."""
        hosts: list[Host] = [
            self.hosts[name] for name in (*self.ready, *self.holes) if name != source
        ]
        if not hosts:
            return f"there is no other host that could take instance {instance.id}"
        roomiest = max(hosts, key=lambda host: (self.room.free(host.name).vcpus, host.name))
        return (
            f"instance {instance.id} ({instance.size}) fits nowhere; host {roomiest.name} comes "
            f"nearest: {self.room.obstacle(instance, roomiest.name)}"
        )
