"""The constraints that applications have registered."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fenix.domain import Constraints, GroupConstraints, InstanceConstraints, MoveAction
from fenix.store.rows import values
from fenix.store.tables import group_constraints, instance_constraints


def put_instance(connection: Connection, constraints: InstanceConstraints) -> None:
    """Creates or replaces the constraints of an instance."""
    _put(connection, instance_constraints, "instance_id", values(constraints))


def put_group(connection: Connection, constraints: GroupConstraints) -> None:
    """Creates or replaces the constraints of a group."""
    _put(connection, group_constraints, "group_id", values(constraints))


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


def load(connection: Connection, projects: Collection[str] | None = None) -> Constraints:
    """All constraints, or those of some projects."""
    instances, groups = select(instance_constraints), select(group_constraints)
    if projects is not None:
        instances = instances.where(instance_constraints.c.project_id.in_(projects))
        groups = groups.where(group_constraints.c.project_id.in_(projects))
    return Constraints(
        instances={
            row["instance_id"]: _instance(dict(row))
            for row in connection.execute(instances).mappings()
        },
        groups={
            row["group_id"]: GroupConstraints(**row)
            for row in connection.execute(groups).mappings()
        },
    )


def _put(connection: Connection, table: Table, identity: str, row: dict[str, Any]) -> None:
    # One statement, since two requests may put the same new thing at the same moment.
    if connection.dialect.name in ("mysql", "mariadb"):
        connection.execute(mysql.insert(table).values(row).on_duplicate_key_update(row))
    elif connection.dialect.name == "postgresql":
        new = postgresql.insert(table).values(row)
        connection.execute(new.on_conflict_do_update(index_elements=[identity], set_=row))
    else:
        other = sqlite.insert(table).values(row)
        connection.execute(other.on_conflict_do_update(index_elements=[identity], set_=row))


def _get(connection: Connection, table: Table, identity: str, key: str) -> dict[str, Any] | None:
    row = connection.execute(select(table).where(table.c[identity] == key)).mappings().first()
    return dict(row) if row else None


def _instance(row: dict[str, Any]) -> InstanceConstraints:
    return InstanceConstraints(**row | {"migration_type": MoveAction(row["migration_type"])})
