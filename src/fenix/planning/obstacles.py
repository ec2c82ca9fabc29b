"""Says what is in the way when no host can be emptied, and how much room would help."""

from collections.abc import Iterable

from fenix.domain import Resources, total
from fenix.planning.places import Places


def lacking(places: Places, hosts: Iterable[str]) -> Resources:
    """What the host that is easiest to empty lacks in room elsewhere; at least one vCPU."""
    room = total([places.room.free(name) for name in (*places.ready, *places.holes)])
    lacks = [
        total([one.size for one in places.on[name].values()]).lacking(
            room.minus(places.room.free(name)) if name in places.holes else room
        )
        for name in hosts
    ]
    return min((lack for lack in lacks if any(lack)), default=Resources(1, 0, 0))


def blocked(places: Places, hosts: Iterable[str]) -> dict[str, str]:
    """For each of the hosts what keeps it from being emptied, in words."""
    told: dict[str, str] = {}
    for name in hosts:
        for instance in places.largest_first(places.on[name].values()):
            if places.ready.best(instance) or places.holes.best(instance, (name,)):
                continue
            told[name] = places.why_homeless(instance, name)
            break
        else:
            told[name] = "its instances fit one by one, but not all together"
    return told
