"""When a little more room lets one more host be worked on at a time."""

import pytest
from tests.unit.planning.clouds import cloud, instance

from fenix.domain import Inventory, Resources
from fenix.planning.speed import Goal, lacking_for, worthwhile

HOST = Resources(32, 320, 3200)


def filled(free: int, hosts: int = 12) -> Inventory:
    """So many hosts with so many free vCPUs together, and memory and disk in proportion."""
    left, instances = free, []
    for number in range(hosts):
        room = min(left, 32)
        left -= room
        used = 32 - room
        name = f"host-{number:02d}"
        instances.append(instance(f"on-{name}", name, Resources(used, 10 * used, 100 * used)))
    return cloud({f"host-{number:02d}": HOST for number in range(hosts)}, instances)


def test_a_little_is_lacking_for_the_second_host() -> None:
    inventory = filled(58)
    assert worthwhile(inventory, inventory.hosts, None, 0.03) == Goal(2, 6 / (12 * 32 - 58))
    assert lacking_for(inventory, inventory.hosts, 2) == Resources(6, 60, 600)


@pytest.mark.parametrize(
    ("free", "parallel_hosts", "share", "why"),
    [
        (0, None, 0.03, "not even one can be worked on: that is for when nothing else helps"),
        (40, None, 0.03, "too much is lacking"),
        (58, None, 0.0, "nobody is to be asked"),
        (58, 1, 0.03, "only one may be worked on at a time anyway"),
        (12 * 32 - 1, None, 0.5, "all can be worked on at once but for one"),
    ],
)
def test_it_is_not_worth_it(free: int, parallel_hosts: int | None, share: float, why: str) -> None:
    inventory = filled(free)
    assert worthwhile(inventory, inventory.hosts, parallel_hosts, share) is None, why


def test_a_tenth_of_the_rounds_has_to_be_saved() -> None:
    # 30 hosts, 9 or 10 at a time: four rounds or three. 29 hosts, 14 or 15: three or two; 16: two.
    found = worthwhile(filled(9 * 32 + 30, 30), filled(0, 30).hosts, None, 0.03)
    assert found is not None
    assert found.at_a_time == 10
    assert worthwhile(filled(16 * 32 + 30, 30), filled(0, 30).hosts, None, 0.03) is None


def test_hosts_that_take_nothing_do_not_count() -> None:
    inventory = cloud(
        {"a": HOST, "b": HOST}, [instance("one", "a", Resources(2, 2, 2))], enabled=False
    )
    assert worthwhile(inventory, inventory.hosts, None, 1) is None
