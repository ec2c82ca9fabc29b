"""Whether giving back a little capacity would let one more host be worked on at a time.

Hosts are worked on whole: with room for 1.9 of them, one is worked on at a time, and a maintenance
takes nearly twice as long as with room for two. What is lacking may be a few instances only.
"""

import math
from collections.abc import Collection
from statistics import median
from typing import NamedTuple

from fenix.domain import Host, Inventory, Resources, total
from fenix.planning.placement import share

WORTH = 0.10
"""The least part of all rounds that has to be saved."""


class Goal(NamedTuple):
    """What is worth asking for.

    Attributes:
        at_a_time: how many hosts could be worked on at a time.
        part: what is lacking for it, as a part of what is in use.
    """

    at_a_time: int
    part: float


def worthwhile(
    inventory: Inventory, hosts: Collection[str], parallel_hosts: int | None, most: float
) -> Goal | None:
    """How many hosts could be worked on at a time, if a little more room were there.

    Args:
        inventory: the cloud, with nothing under way in it.
        hosts: the hosts to be worked on.
        parallel_hosts: how many at a time at most; None: as many as there is room for.
        most: how much may be asked for, as a part of what is in use.

    Returns:
        One more than now; None: there is not room for one yet, little would be saved, or too much
        is lacking.
    """
    if not hosts or most <= 0:
        return None
    usual = _usual(inventory, hosts)
    free = total([host.free for host in _able(inventory)])
    now = min((room // whole for room, whole in zip(free, usual, strict=True) if whole), default=0)
    if now < 1 or (parallel_hosts is not None and now >= parallel_hosts):
        return None
    rounds, fewer = (math.ceil(len(hosts) / count) for count in (now, now + 1))
    if rounds - fewer < WORTH * rounds:
        return None
    used = total([host.used for host in _able(inventory)])
    part = share(lacking_for(inventory, hosts, now + 1), used)
    return Goal(now + 1, part) if part <= most else None


def lacking_for(inventory: Inventory, hosts: Collection[str], at_a_time: int) -> Resources:
    """What has to be freed so that so many hosts of the usual size can be worked on at a time."""
    usual = _usual(inventory, hosts)
    free = total([host.free for host in _able(inventory)])
    return Resources(*(at_a_time * whole for whole in usual)).lacking(free)


def _usual(inventory: Inventory, hosts: Collection[str]) -> Resources:
    sizes = [inventory.hosts[name].capacity for name in hosts]
    return Resources(*(round(median(column)) for column in zip(*sizes, strict=True)))


def _able(inventory: Inventory) -> list[Host]:
    return [host for host in inventory.hosts.values() if host.up and host.enabled]
