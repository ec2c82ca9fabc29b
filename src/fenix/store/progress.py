"""A session's hosts, instances, projects, moves and action runs, as the engine writes them.

Each `save_*` inserts or replaces one row; the engine that holds the lease is the only writer.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from fenix.domain import (
    ActionRecord,
    ActionState,
    ActionType,
    HostRecord,
    HostState,
    HostType,
    InstanceRecord,
    InstanceState,
    MoveAction,
    MoveRecord,
    MoveState,
    ProjectRecord,
)
from fenix.store.rows import dicts, values
from fenix.store.tables import action_runs, hosts, instances, moves, projects
from fenix.store.writing import Row, Statement, Write, rows, upsert

_save_host, _save_instance, _save_project = upsert(hosts), upsert(instances), upsert(projects)
_save_move = upsert(moves)
_ACTION = update(action_runs).where(action_runs.c.id == bindparam("run"))
_RUN = select(action_runs).where(
    action_runs.c.session_id == bindparam("session"), action_runs.c.id == bindparam("run")
)
_PROJECT = select(projects).where(
    projects.c.session_id == bindparam("session"), projects.c.id == bindparam("project")
)


def _save(statement: Statement, session_id: str, record: Any, **other: Any) -> Write:
    return rows(Row(statement, {"session_id": session_id, **values(record), **other}))


def save_host(session_id: str, record: HostRecord) -> Write:
    """Writes a host of a session."""
    return _save(_save_host, session_id, record)


def save_instance(session_id: str, record: InstanceRecord) -> Write:
    """Writes an instance of a session."""
    return _save(_save_instance, session_id, record)


def save_project(session_id: str, record: ProjectRecord) -> Write:
    """Writes a project of a session."""
    return _save(_save_project, session_id, record, instance_ids=list(record.instance_ids))


def save_move(session_id: str, record: MoveRecord) -> Write:
    """Writes a move of a session."""
    return _save(_save_move, session_id, record)


def save_action(session_id: str, record: ActionRecord, executor: str) -> Write:
    """Writes a run of an action; `executor` names the machine that its process runs on."""
    other = {"metadata": dict(record.metadata), "executor": executor}
    row = {"session_id": session_id, **values(record), **other}

    def write(connection: Connection) -> None:
        # No upsert: MariaDB's would replace another run that has the same key.
        if connection.execute(_ACTION, row | {"run": record.id}).rowcount == 0:
            connection.execute(insert(action_runs), row)

    return write


def _rows(
    connection: Connection, table: Table, session_id: str, *order: str
) -> list[dict[str, Any]]:
    found = []
    for one in dicts(connection.execute(select(table).where(table.c.session_id == session_id))):
        del one["session_id"]
        found.append(one)
    # Not by the database: each one has an order of its own for names.
    return sorted(found, key=lambda row: tuple(row[name] for name in order))


def list_hosts(connection: Connection, session_id: str) -> Sequence[HostRecord]:
    """The hosts of a session, by name."""
    return [host(row) for row in _rows(connection, hosts, session_id, "name")]


def list_instances(connection: Connection, session_id: str) -> Sequence[InstanceRecord]:
    """The instances that a session has dealt with, by id."""
    return [instance(row) for row in _rows(connection, instances, session_id, "id")]


def list_projects(connection: Connection, session_id: str) -> Sequence[ProjectRecord]:
    """The projects that a session talks with, by id."""
    return [ProjectRecord(**row) for row in _rows(connection, projects, session_id, "id")]


def get_project(connection: Connection, session_id: str, project_id: str) -> ProjectRecord | None:
    """One project of a session, or None."""
    keys = {"session": session_id, "project": project_id}
    row = connection.execute(_PROJECT, keys).mappings().first()
    if row is None:
        return None
    return ProjectRecord(**{name: value for name, value in row.items() if name != "session_id"})


def list_moves(connection: Connection, session_id: str) -> Sequence[MoveRecord]:
    """The moves of a session, by start and key."""
    return [move(row) for row in _rows(connection, moves, session_id, "started_at", "key")]


def list_actions(connection: Connection, session_id: str) -> Sequence[tuple[ActionRecord, str]]:
    """The runs of actions of a session with their executors, by start and key."""
    return [action(row) for row in _rows(connection, action_runs, session_id, "started_at", "key")]


def get_action(
    connection: Connection, session_id: str, run_id: str
) -> tuple[ActionRecord, str] | None:
    """One run of an action of a session with its executor, or None."""
    row = connection.execute(_RUN, {"session": session_id, "run": run_id}).mappings().first()
    if row is None:
        return None
    return action({name: value for name, value in row.items() if name != "session_id"})


def host(row: dict[str, Any]) -> HostRecord:
    """A host from the columns of its row, but for the session; so are the following."""
    return HostRecord(**row | {"type": HostType(row["type"]), "state": HostState(row["state"])})


def instance(row: dict[str, Any]) -> InstanceRecord:
    """An instance; see `host`."""
    action = MoveAction(row["action"]) if row["action"] else None
    return InstanceRecord(**row | {"state": InstanceState(row["state"]), "action": action})


def move(row: dict[str, Any]) -> MoveRecord:
    """A move; see `host`."""
    return MoveRecord(
        **row | {"state": MoveState(row["state"]), "action": MoveAction(row["action"])}
    )


def action(row: dict[str, Any]) -> tuple[ActionRecord, str]:
    """A run of an action and its executor; see `host`."""
    executor = row.pop("executor")
    state, kind = ActionState(row["state"]), ActionType(row["type"])
    return ActionRecord(**row | {"state": state, "type": kind}), executor
