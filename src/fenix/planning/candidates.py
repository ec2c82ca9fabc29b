"""Which host is best emptied next."""

import math
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator

from fenix.planning.places import Places

Key = tuple[bool, bool, float, float, str]


class Candidates:
    """Hosts that may be emptied, kept in the order in which they best are.

    Empty ones and those that were begun before a restart come first. Then, as long as no host is
    maintained, those of which most scattered room becomes whole for each second move that they
    cost, or where room is no matter, that cost the fewest. Later those with the largest part
    unused, for the same reason.

    Args:
        begun: those that were begun before a restart.
        slots: whether the number of hosts at one time is limited, and so not the room.
    """

    def __init__(self, places: Places, begun: Collection[str], slots: bool) -> None:
        self._places = places
        self._begun = begun
        self._slots = slots
        self._first = True
        self._keys: dict[str, Key] = {}
        self._order: list[Key] = []

    def add(self, host: str) -> None:
        """Takes a host in, or to where it belongs now."""
        self.discard(host)
        key = self._keys[host] = self._key(host)
        insort(self._order, key)

    def discard(self, host: str) -> None:
        """Takes a host out; nothing happens where it was not in."""
        if key := self._keys.pop(host, None):
            del self._order[bisect_left(self._order, key)]

    def __iter__(self) -> Iterator[str]:
        """All hosts, in their order when it begins."""
        if self._first and len(self._places.ready):
            self._first = False
            self._keys = {host: self._key(host) for host in self._keys}
            self._order = sorted(self._keys.values())
        for host in self._places.take_changed():
            if host in self._keys:
                self.add(host)
        return (key[-1] for key in self._order.copy())

    def _key(self, host: str) -> Key:
        on, load = len(self._places.on[host]), self._places.load[host]
        capacity = self._places.hosts[host].capacity.vcpus or 1
        used = load / capacity
        gain = 1 if self._slots else max(0, capacity - load)
        cost = (on / gain if gain else math.inf, used) if self._first else (used, on)
        return bool(on), host not in self._begun, *cost, host
