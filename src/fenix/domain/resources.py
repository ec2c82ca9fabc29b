"""Amounts of what hosts have and instances use; all three count in every decision."""

from typing import NamedTuple


class Resources(NamedTuple):
    """vCPUs, memory in MiB and disk in GiB of a host or an instance.

    A tuple rather than a dataclass: planning makes millions of them.
    """

    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0

    def plus(self, other: "Resources") -> "Resources":
        """The sum, resource by resource."""
        return Resources(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def minus(self, other: "Resources") -> "Resources":
        """The difference, resource by resource; may be negative."""
        return Resources(self[0] - other[0], self[1] - other[1], self[2] - other[2])

    def fits(self, room: "Resources") -> bool:
        """Whether `room` holds this amount in every resource."""
        return self[0] <= room[0] and self[1] <= room[1] and self[2] <= room[2]

    def lacking(self, room: "Resources") -> "Resources":
        """What `room` is short of to hold this amount; zero where it suffices."""
        return Resources(
            max(0, self[0] - room[0]), max(0, self[1] - room[1]), max(0, self[2] - room[2])
        )

    def __str__(self) -> str:
        return f"{self.vcpus} vCPUs, {self.memory_mb} MiB, {self.disk_gb} GiB"


def total(amounts: "list[Resources]") -> Resources:
    """The sum of all amounts."""
    return Resources(*(sum(column) for column in zip(*amounts, strict=True))) if amounts else ZERO


ZERO = Resources()
