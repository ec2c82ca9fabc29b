"""Only what a project says about its own instances and groups counts."""

from dataclasses import replace

from tests.unit.planning.clouds import cloud, instance

from fenix.domain import Constraints, Group, GroupConstraints, InstanceConstraints, Resources
from fenix.planning.ownership import heeded

ONE = Resources(1, 1, 1)
CLOUD = cloud({"h": ONE}, [instance("i1", "h", ONE, "server-group")], Group("server-group", "app"))


def of_instance(ident: str, project: str, group: str) -> InstanceConstraints:
    return InstanceConstraints(ident, project, group, "")


def counting(*registered: InstanceConstraints | GroupConstraints) -> Constraints:
    return heeded(
        Constraints(
            {one.instance_id: one for one in registered if isinstance(one, InstanceConstraints)},
            {one.group_id: one for one in registered if isinstance(one, GroupConstraints)},
        ),
        CLOUD,
    )


def test_ones_own_count() -> None:
    mine = of_instance("i1", "app", "g"), GroupConstraints("g", "app")
    limits = GroupConstraints("server-group", "app")
    assert counting(*mine, limits) == Constraints(
        {"i1": mine[0]}, {"g": mine[1], "server-group": limits}
    )


def test_what_the_cloud_does_not_know_is_believed() -> None:
    later = of_instance("i-to-come", "other", "theirs")
    assert counting(later).instances == {"i-to-come": later}


def test_a_stranger_says_nothing_about_an_instance_or_a_server_group() -> None:
    found = counting(of_instance("i1", "other", ""), GroupConstraints("server-group", "other"))
    assert found == Constraints()


def test_a_stranger_is_no_member_of_a_group() -> None:
    mine = GroupConstraints("g", "app", anti_affinity_group=True)
    for group in ("g", "server-group"):
        intruder = of_instance("i9", "other", group)
        assert counting(mine, intruder).instances == {"i9": replace(intruder, group_id="")}
