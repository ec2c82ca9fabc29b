"""Which hosts can be emptied, several side by side, at the least cost."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from fenix.domain import Instance, Inventory
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


def plan_emptying(
    inventory: Inventory,
    candidates: Iterable[str],
    preferences: Preferences,
    room: Room,
    limit: int | None,
) -> Emptying:
    """Chooses hosts to empty now, the cheapest first, as many as fit.

    Args:
        candidates: hosts to choose from.
        room: the ledger; it keeps the placements of the chosen hosts.
        limit: how many hosts at most; None: any number.
    """
    hosts: list[str] = []
    targets: dict[str, str] = {}
    blocked: dict[str, str] = {}
    for name in sorted(candidates, key=lambda name: (cost(inventory.on(name)), name)):
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
