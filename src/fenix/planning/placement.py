"""Where instances go: best fit, the largest first, on all resources at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fenix.domain import Instance, Resources
from fenix.planning.room import Room


@dataclass(frozen=True, slots=True)
class Placement:
    """A host for each instance, as far as there is one.

    Attributes:
        targets: host by instance id.
        homeless: for each instance without a host, why each host would not do, in words.
    """

    targets: Mapping[str, str] = field(default_factory=dict)
    homeless: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every instance has a host."""
        return not self.homeless


def share(size: Resources, capacity: Resources) -> float:
    """The largest part of a capacity that a size takes, over all resources; 0 to 1 if it fits."""
    return max(
        (part / whole for part, whole in zip(size, capacity, strict=True) if whole), default=0
    )


def place(
    instances: Iterable[Instance], preferences: Sequence[Collection[str]], room: Room
) -> Placement:
    """Finds a host for each instance and takes the room on the ledger.

    Args:
        instances: those to place.
        preferences: names of hosts, the better ones first: hosts of a later collection are only
            used by an instance that no host of an earlier one takes.
        room: the ledger; it keeps what was placed, also when the placement is not complete.

    Returns:
        The placement; deterministic for the same input.
    """
    largest = _largest(room, preferences)
    order = sorted(instances, key=lambda one: (-share(one.size, largest), one.id))
    targets: dict[str, str] = {}
    homeless: dict[str, str] = {}
    for instance in order:
        host = next((best for hosts in preferences if (best := _best(instance, hosts, room))), None)
        if host is None:
            homeless[instance.id] = _why_not(instance, preferences, room)
        else:
            targets[instance.id] = host
            room.put(instance, host)
    return Placement(targets, homeless)


def undo(placement: Placement, instances: Mapping[str, Instance], room: Room) -> None:
    """Gives the room that a placement took back."""
    for ident, host in placement.targets.items():
        room.take(instances[ident], host)


def _best(instance: Instance, hosts: Collection[str], room: Room) -> str | None:
    fitting = [name for name in hosts if room.obstacle(instance, name) is None]
    if not fitting:
        return None
    return min(fitting, key=lambda name: (_left(instance, name, room), name))


def _left(instance: Instance, host: str, room: Room) -> float:
    left = room.free(host).minus(instance.size)
    capacity = room.hosts[host].capacity
    return sum(part / whole for part, whole in zip(left, capacity, strict=True) if whole)


def _largest(room: Room, preferences: Sequence[Collection[str]]) -> Resources:
    names = [name for hosts in preferences for name in hosts]
    capacities = [room.hosts[name].capacity for name in names] or [Resources(1, 1, 1)]
    return Resources(*(max(column) for column in zip(*capacities, strict=True)))


def _why_not(instance: Instance, preferences: Sequence[Collection[str]], room: Room) -> str:
    names = sorted({name for hosts in preferences for name in hosts})
    if not names:
        return f"instance {instance.id} ({instance.size}): there is no host that could take it"
    told = [f"{name}: {room.obstacle(instance, name)}" for name in names[:5]]
    more = f" and {len(names) - 5} more hosts" if len(names) > 5 else ""
    return f"instance {instance.id} ({instance.size}) fits nowhere: {'; '.join(told)}{more}"
