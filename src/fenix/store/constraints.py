"""The constraints that applications have registered."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from fenix.domain import Constraints, GroupConstraints, InstanceConstraints, MoveAction
from fenix.store.rows import dicts, values
from fenix.store.tables import group_constraints, instance_constraints
from fenix.store.writing import Row, rows, upsert

_put_instance, _put_group = upsert(instance_constraints), upsert(group_constraints)


def put_all(connection: Connection, constraints: Constraints) -> None:
    """Creates or replaces the constraints of many instances and groups."""
    instances = (Row(_put_instance, values(one)) for one in constraints.instances.values())
    groups = (Row(_put_group, values(one)) for one in constraints.groups.values())
    rows(*instances, *groups)(connection)


def put_instance(connection: Connection, constraints: InstanceConstraints) -> None:
    """Creates or replaces the constraints of an instance."""
    connection.execute(_put_instance(connection.dialect.name), values(constraints))


def put_group(connection: Connection, constraints: GroupConstraints) -> None:
    """Creates or replaces the constraints of a group."""
    connection.execute(_put_group(connection.dialect.name), values(constraints))


def get_instance(connection: Connection, instance_id: str) -> InstanceConstraints | None:
    """The constraints of an instance, or None."""
    row = _get(connection, instance_constraints, "instance_id", instance_id)
    return _instance(row) if row else None


def get_group(connection: Connection, group_id: str) -> GroupConstraints | None:
    """The constraints of a group, or None."""
    row = _get(connection, group_constraints, "group_id", group_id)
    return GroupConstraints(**row) if row else None


def delete_instance(connection: Connection, instance_id: str) -> None:
    """Forgets the constraints of an instance, if there are any."""
    table = instance_constraints
    connection.execute(delete(table).where(table.c.instance_id == instance_id))


def delete_group(connection: Connection, group_id: str) -> None:
    """Forgets the constraints of a group, if there are any; those of its members stay."""
    table = group_constraints
    connection.execute(delete(table).where(table.c.group_id == group_id))


def count(connection: Connection, project_id: str) -> int:
    """How many instances and groups of a project have constraints."""
    return sum(
        connection.scalar(
            select(func.count()).select_from(table).where(table.c.project_id == project_id)
        )
        or 0
        for table in (instance_constraints, group_constraints)
    )


def load(connection: Connection, projects: Collection[str] | None = None) -> Constraints:
    """All constraints, or those of some projects."""
    instances, groups = select(instance_constraints), select(group_constraints)
    if projects is not None:
        instances = instances.where(instance_constraints.c.project_id.in_(projects))
        groups = groups.where(group_constraints.c.project_id.in_(projects))
    return Constraints(
        instances={
            row["instance_id"]: _instance(row) for row in dicts(connection.execute(instances))
        },
        groups={
            row["group_id"]: GroupConstraints(**row) for row in dicts(connection.execute(groups))
        },
    )


def _get(connection: Connection, table: Table, identity: str, key: str) -> dict[str, Any] | None:
    row = connection.execute(select(table).where(table.c[identity] == key)).mappings().first()
    return dict(row) if row else None


def _instance(row: dict[str, Any]) -> InstanceConstraints:
    row["migration_type"] = MoveAction(row["migration_type"])
    return InstanceConstraints(**row)
