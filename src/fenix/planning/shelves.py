"""Finds the best fitting host quickly, among thousands: hosts are sorted by their free vCPUs."""

from collections.abc import Collection, Iterator

from fenix.domain import Instance
from fenix.planning.room import Room


class Shelves:
    """A set of hosts that may take instances, sorted by what they have free."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._shelves: dict[int, dict[str, None]] = {}
        self._where: dict[str, int] = {}
        self._highest = 0

    def __contains__(self, host: str) -> bool:
        return host in self._where

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)

    def add(self, host: str) -> None:
        """Lets a host take instances."""
        self.discard(host)
        free = self._room.free(host).vcpus
        self._where[host] = free
        self._shelves.setdefault(free, {})[host] = None
        self._highest = max(self._highest, free)

    def discard(self, host: str) -> None:
        """Lets a host take no more; nothing happens where it did not."""
        free = self._where.pop(host, None)
        if free is not None:
            del self._shelves[free][host]

    def refresh(self, host: str) -> None:
        """Notes that what a host has free has changed."""
        if host in self._where and self._where[host] != self._room.free(host).vcpus:
            self.add(host)

    def best(self, instance: Instance, avoid: Collection[str] = ()) -> str | None:
        """The host that has least left after taking the instance, or None."""
        for free in range(max(0, instance.size.vcpus), self._highest + 1):
            for host in self._shelves.get(free, ()):
                if host not in avoid and self._room.obstacle(instance, host) is None:
                    return host
        return None

    def roomiest(self, count: int) -> list[str]:
        """The hosts with most free vCPUs, `count` at most."""
        found: list[str] = []
        for free in range(self._highest, -1, -1):
            for host in self._shelves.get(free, ()):
                if len(found) == count:
                    return found
                found.append(host)
        return found
