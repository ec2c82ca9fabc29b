"""Which host is best emptied next."""

from collections.abc import Collection, Iterable

from fenix.planning.places import Places


def cheapest_first(
    places: Places, hosts: Iterable[str], begun: Collection[str], slots: bool
) -> list[str]:
    """Hosts in the order in which they are best emptied.

    Empty ones and those that were begun before a restart come first. Then, as long as no host is
    maintained, those that give most room for each second move that they cost, or where room is no
    matter, that cost the fewest. Later those with the largest part unused, since their emptying
    turns scattered room into usable room.

    Args:
        slots: whether the number of hosts at one time is limited, and so not the room.
    """

    def order(name: str) -> tuple[bool, bool, float, float, str]:
        on = places.on[name]
        load = sum(one.size.vcpus for one in on.values())
        capacity = places.hosts[name].capacity.vcpus or 1
        first = (len(on) if slots else len(on) / capacity, load / capacity)
        key = (load / capacity, len(on)) if len(places.ready) else first
        return bool(on), name not in begun, *key, name

    return sorted(hosts, key=order)
