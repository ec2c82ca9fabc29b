"""Which hosts can be emptied, several side by side, at the least cost."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from fenix.domain import Host, Instance, Inventory, Resources
from fenix.planning.placement import Placement, place, undo
from fenix.planning.room import Room

Preferences = Callable[[str, Collection[str]], Sequence[Collection[str]]]
"""Gives the possible targets for the instances of a host, the better ones first; the second
argument has the hosts that are to be emptied as well, which are none."""


@dataclass(frozen=True, slots=True)
class Emptying:
    """What is to be done to empty hosts.

    Attributes:
        hosts: the hosts in the order of their cost.
        targets: the new host of each of their instances, by id.
        blocked: for each host that can't be emptied now, why, in words.
    """

    hosts: Sequence[str]
    targets: dict[str, str]
    blocked: dict[str, str]


def cost(instances: Sequence[Instance]) -> tuple[int, int]:
    """How much work it is to empty a host: moves, and memory to be moved in MiB."""
    return len(instances), sum(instance.size.memory_mb for instance in instances)


def smallness(hosts: Sequence[Host]) -> dict[str, int]:
    """Ranks hosts by their capacity in all resources, the largest 0, others up to 4.

    Small differences do not count.
    """
    largest = Resources(*(max(column) for column in zip(*(h.capacity for h in hosts), strict=True)))

    def size(capacity: Resources) -> float:
        parts = [part / whole for part, whole in zip(capacity, largest, strict=True) if whole]
        return sum(parts) / len(parts) if parts else 1.0

    return {host.name: round(4 * (1 - size(host.capacity))) for host in hosts}


def plan_emptying(
    inventory: Inventory,
    candidates: Iterable[str],
    preferences: Preferences,
    room: Room,
    limit: int | None,
    *,
    largest_first: bool = False,
) -> Emptying:
    """Chooses hosts to empty now, the cheapest first, as many as fit.

    Args:
        candidates: hosts to choose from.
        room: the ledger; it keeps the placements of the chosen hosts.
        limit: how many hosts at most; None: any number.
        largest_first: hosts that are larger than others come before cheaper ones: what is on them
            fits on few others, and when they are back they take what is on many.
    """
    hosts: list[str] = []
    targets: dict[str, str] = {}
    blocked: dict[str, str] = {}
    names = list(candidates)
    rank = smallness([inventory.hosts[name] for name in names]) if largest_first else {}
    names.sort(key=lambda name: (rank.get(name, 0), cost(inventory.on(name)), name))
    for name in names:
        if limit is not None and len(hosts) >= limit:
            break
        if name in targets.values():
            continue  # It has just been promised to instances of another host.
        instances = inventory.on(name)
        placement: Placement = place(instances, preferences(name, (*hosts, name)), room)
        if placement.complete:
            hosts.append(name)
            targets.update(placement.targets)
        else:
            undo(placement, inventory.instances, room)
            blocked[name] = next(iter(placement.homeless.values()))
    return Emptying(hosts, targets, blocked)
