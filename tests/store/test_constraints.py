"""Constraints come back as they were put, and two requests at one moment do no harm."""

import asyncio
from collections.abc import Callable

import pytest

from fenix.domain import Constraints, MoveAction
from fenix.store import Database, constraints
from tests.factories import make_group_constraints, make_instance_constraints
from tests.store.running import read, together, write

INSTANCE = make_instance_constraints(
    "instance-2",
    project_id="project-2",
    group_id="group-2",
    instance_name="vm-Ä 🚀",
    max_interruption_time=7,
    migration_type=MoveAction.OWN_ACTION,
    resource_mitigation=True,
    lead_time=9,
)
GROUP = make_group_constraints(
    "group-2",
    project_id="project-2",
    group_name="grüppe",
    anti_affinity_group=True,
    max_instances_per_host=3,
    max_impacted_members=4,
    recovery_time=5,
    resource_mitigation=True,
)


def test_every_field_of_an_instance_comes_back(database: Database) -> None:
    for instance in (make_instance_constraints(), INSTANCE):
        write(database, lambda c, i=instance: constraints.put_instance(c, i))
        found = read(database, lambda c, i=instance: constraints.get_instance(c, i.instance_id))
        assert found == instance


def test_every_field_of_a_group_comes_back(database: Database) -> None:
    for group in (make_group_constraints(), GROUP):
        write(database, lambda c, g=group: constraints.put_group(c, g))
        found = read(database, lambda c, g=group: constraints.get_group(c, g.group_id))
        assert found == group


@pytest.mark.parametrize("action", MoveAction)
def test_every_migration_type_comes_back(database: Database, action: MoveAction) -> None:
    instance = make_instance_constraints(migration_type=action)
    write(database, lambda c: constraints.put_instance(c, instance))
    assert read(database, lambda c: constraints.get_instance(c, "instance-1")) == instance


def test_put_again_is_replaced(database: Database) -> None:
    for instance in (INSTANCE, make_instance_constraints("instance-2"), INSTANCE):
        write(database, lambda c, i=instance: constraints.put_instance(c, i))
    for group in (GROUP, make_group_constraints("group-2"), GROUP):
        write(database, lambda c, g=group: constraints.put_group(c, g))
    expected = Constraints({"instance-2": INSTANCE}, {"group-2": GROUP})
    assert read(database, constraints.load) == expected


def test_many_at_once(database: Database) -> None:
    other = make_instance_constraints("other")
    write(database, lambda c: constraints.put_all(c, Constraints()))
    for group in (make_group_constraints("group-2"), GROUP):
        new = Constraints({"instance-2": INSTANCE, "other": other}, {"group-2": group})
        write(database, lambda c, new=new: constraints.put_all(c, new))
        assert read(database, constraints.load) == new


def test_loaded_for_some_projects(database: Database) -> None:
    for instance in (make_instance_constraints(), INSTANCE):
        write(database, lambda c, i=instance: constraints.put_instance(c, i))
    for group in (make_group_constraints(), GROUP):
        write(database, lambda c, g=group: constraints.put_group(c, g))
    everything = read(database, constraints.load)
    assert set(everything.instances) == {"instance-1", "instance-2"}
    assert set(everything.groups) == {"group-1", "group-2"}
    some = read(database, lambda c: constraints.load(c, ["project-2", "PROJECT-1"]))
    assert some == Constraints({"instance-2": INSTANCE}, {"group-2": GROUP})
    assert read(database, lambda c: constraints.load(c, [])) == Constraints()


def test_deleted_ones_are_gone_and_the_rest_stays(database: Database) -> None:
    for instance in (make_instance_constraints(), INSTANCE):
        write(database, lambda c, i=instance: constraints.put_instance(c, i))
    write(database, lambda c: constraints.put_group(c, GROUP))
    for _ in range(2):
        write(database, lambda c: constraints.delete_instance(c, "instance-1"))
        write(database, lambda c: constraints.delete_group(c, "group-2"))
    assert read(database, lambda c: constraints.get_instance(c, "instance-1")) is None
    assert read(database, lambda c: constraints.get_group(c, "group-2")) is None
    assert read(database, constraints.load) == Constraints({"instance-2": INSTANCE})


def test_ids_that_differ_in_case_are_different(database: Database) -> None:
    lower, upper = make_instance_constraints("vm-a"), make_instance_constraints("VM-A")
    for instance in (lower, upper):
        write(database, lambda c, i=instance: constraints.put_instance(c, i))
    assert read(database, constraints.load).instances == {"vm-a": lower, "VM-A": upper}


def test_several_requests_put_the_same_new_instance(
    shared_url: str, connect: Callable[[str], Database]
) -> None:
    databases = [connect(shared_url) for _ in range(4)]
    for number in range(10):
        instance = make_instance_constraints(f"instance-{number}")
        outcomes = together(
            [
                lambda d=database, i=instance: asyncio.run(
                    d.write(lambda c: constraints.put_instance(c, i))
                )
                for database in databases
            ]
        )
        assert outcomes == [None] * len(databases)
    assert len(read(databases[0], constraints.load).instances) == 10
