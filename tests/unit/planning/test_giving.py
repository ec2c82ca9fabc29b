"""Whom to ask for capacity: few, in few rounds, by what is known of them."""

from tests.unit.planning.clouds import instance

from fenix.domain import Instance, Resources
from fenix.planning.giving import whom_to_ask

SMALL = Resources(2, 4, 1)


def owners(**counts: int) -> dict[str, list[Instance]]:
    """Projects with so many small instances each."""
    return {
        ident: [instance(f"{ident}-{number}", "a", SMALL) for number in range(count)]
        for ident, count in counts.items()
    }


def ask(instances: dict[str, list[Instance]], lacking: Resources, **given: Resources) -> list[str]:
    return whom_to_ask(instances, instances, lacking, given)


def test_the_largest_is_asked_first_and_no_other_where_it_is_likely_to_do() -> None:
    assert ask(owners(a=3, b=9, c=6), Resources(6)) == ["b"]


def test_more_are_asked_where_one_will_not_do() -> None:
    assert ask(owners(a=3, b=9, c=6), Resources(7)) == ["b", "c"]
    assert ask(owners(a=3, b=9, c=6), Resources(1000)) == ["b", "c", "a"]


def test_memory_counts_as_well() -> None:
    assert ask(owners(a=3, b=9), Resources(0, 13, 0)) == ["b", "a"]


def test_later_rounds_rest_on_what_was_given() -> None:
    instances = owners(a=9, b=8, c=7, d=6)
    assert ask(instances, Resources(8), a=Resources(4, 8, 2)) == ["b", "c"]
    assert ask(instances, Resources(1), a=Resources(4, 8, 2)) == ["b"]


def test_after_nothing_was_given_more_are_asked_and_who_gave_nothing_comes_last() -> None:
    assert ask(owners(a=9, b=8, c=7, d=6), Resources(2), a=Resources()) == ["b", "c"]
    assert ask(owners(a=9, b=8), Resources(2), a=Resources()) == ["b", "a"]


def test_nobody_is_left() -> None:
    assert whom_to_ask(owners(a=9), [], Resources(2), {}) == []
    assert whom_to_ask({}, ["gone"], Resources(2), {}) == []
