"""Hosts, instances, projects, moves and action runs come back as they were written."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from fenix.domain import (
    ActionState,
    ActionType,
    HostState,
    HostType,
    InstanceState,
    MoveAction,
    MoveState,
    ProjectState,
)
from fenix.store import Database, Write, progress
from tests.factories import at, make_action, make_host, make_instance, make_move, make_project
from tests.store.running import read, write_all

LONG = "Schwüle 🌩 " * 10_000
"""More than the 64 KiB that MariaDB's TEXT holds."""

HOSTS = [
    make_host(),
    make_host(
        "ä-1",
        type=HostType.CONTROLLER,
        state=HostState.MAINTAINED,
        disabled_by_us=True,
        why=LONG,
        started_at=at(1),
        finished_at=at(2),
    ),
    *(make_host(f"t-{kind}", type=kind) for kind in HostType),
    *(make_host(f"s-{state}", state=state) for state in HostState),
]
INSTANCES = [
    make_instance(),
    make_instance(
        "i-2",
        name="数据库",
        project_id="p",
        host="h",
        state=InstanceState.MOVED,
        action=MoveAction.MIGRATE,
        target="compute-2",
        replaced_by="i-3",
        why=LONG,
    ),
    *(make_instance(f"s-{state}", state=state) for state in InstanceState),
    *(make_instance(f"a-{action}", action=action) for action in MoveAction),
]
PROJECTS = [
    make_project(),
    make_project("p-2", reached=False, state="X", reply="ACK_X", instance_ids=["b", "a", "ä"]),
    *(make_project(f"s-{state}", state=state, reply=state.nack) for state in ProjectState),
]
MOVES = [
    make_move(),
    make_move(
        "m-2",
        instance_id="i",
        source="s",
        target=None,
        started_at=at(9),
        state=MoveState.FAILED,
        cloud_id="77",
        finished_at=at(10),
        error=LONG,
    ),
    *(make_move(f"s-{state}", state=state) for state in MoveState),
    *(make_move(f"a-{action}", action=action) for action in MoveAction),
]
ACTIONS = [
    make_action(),
    make_action(
        "a-2",
        plugin="command",
        type=ActionType.POST,
        host=None,
        metadata={"argv": ["echo", "ö"], "deep": {"x": None, "y": 1.5}},
        started_at=at(9),
        state=ActionState.FAILED,
        finished_at=at(10),
        error=LONG,
        log="\n".join([LONG] * 3),
    ),
    *(make_action(f"t-{kind}", type=kind) for kind in ActionType),
    *(make_action(f"s-{state}", state=state) for state in ActionState),
]


def save_action(session_id: str, record: Any) -> Write:
    return progress.save_action(session_id, record, "executor-1")


def list_actions(connection: Connection, session_id: str) -> Sequence[Any]:
    found = progress.list_actions(connection, session_id)
    assert {executor for _, executor in found} <= {"executor-1"}
    return [record for record, _ in found]


Save = Callable[[str, Any], Write]
List = Callable[[Connection, str], Sequence[Any]]
KINDS = {
    "hosts": (progress.save_host, progress.list_hosts, HOSTS, lambda r: r.name),
    "instances": (progress.save_instance, progress.list_instances, INSTANCES, lambda r: r.id),
    "projects": (progress.save_project, progress.list_projects, PROJECTS, lambda r: r.id),
    "moves": (progress.save_move, progress.list_moves, MOVES, lambda r: (r.started_at, r.key)),
    "actions": (save_action, list_actions, ACTIONS, lambda r: (r.started_at, r.key)),
}
each_kind = pytest.mark.parametrize(
    ("save", "list_all", "records", "order"), KINDS.values(), ids=list(KINDS)
)


@each_kind
def test_every_field_comes_back(
    database: Database, save: Save, list_all: List, records: list[Any], order: Callable[[Any], Any]
) -> None:
    write_all(database, *(save("session-1", record) for record in records))
    assert read(database, lambda c: list_all(c, "session-1")) == sorted(records, key=order)
    assert read(database, lambda c: list_all(c, "session-2")) == []


@each_kind
def test_saved_again_is_replaced(
    database: Database, save: Save, list_all: List, records: list[Any], order: Callable[[Any], Any]
) -> None:
    plain, full = records[:2]
    identity = {
        name: getattr(plain, name) for name in ("id", "key", "name") if hasattr(plain, name)
    }
    if list_all is progress.list_instances:
        del identity["name"]
    changed = replace(full, **identity)
    write_all(database, save("session-1", plain), save("session-1", full))
    write_all(database, save("session-1", changed))
    found = read(database, lambda c: list_all(c, "session-1"))
    assert found == sorted([changed, full], key=order)


@pytest.mark.parametrize(
    ("save", "list_all", "make"),
    [
        (progress.save_host, progress.list_hosts, make_host),
        (progress.save_instance, progress.list_instances, make_instance),
        (progress.save_project, progress.list_projects, make_project),
        (progress.save_move, progress.list_moves, make_move),
    ],
)
def test_names_are_compared_and_ordered_byte_by_byte(
    database: Database, save: Save, list_all: List, make: Callable[[str], Any]
) -> None:
    names = ["Compute-1", "Straße", "Strasse", "a", "a\u0308", "compute-1", "ä", "Ä"]
    records = {name: make(name) for name in names}
    write_all(database, *(save("session-1", record) for record in records.values()))
    found = read(database, lambda c: list_all(c, "session-1"))
    assert found == [records[name] for name in sorted(names)]


def test_the_same_thing_of_two_sessions(database: Database) -> None:
    ours, theirs = make_host(why="ours"), make_host(why="theirs")
    write_all(database, progress.save_host("one", ours), progress.save_host("two", theirs))
    assert read(database, lambda c: progress.list_hosts(c, "one")) == [ours]
    assert read(database, lambda c: progress.list_hosts(c, "two")) == [theirs]


def test_one_project(database: Database) -> None:
    write_all(database, *(progress.save_project("session-1", record) for record in PROJECTS))
    assert read(database, lambda c: progress.get_project(c, "session-1", "p-2")) == PROJECTS[1]
    assert read(database, lambda c: progress.get_project(c, "session-1", "P-2")) is None
    assert read(database, lambda c: progress.get_project(c, "session-2", "p-2")) is None


def test_the_executor_of_an_action_comes_back(database: Database) -> None:
    record = make_action()
    write_all(database, progress.save_action("session-1", record, "ä.example"))
    assert read(database, lambda c: progress.list_actions(c, "session-1")) == [
        (record, "ä.example")
    ]


def test_an_action_runs_once_under_its_key(database: Database) -> None:
    write_all(database, save_action("session-1", make_action("same")))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        write_all(database, save_action("session-1", make_action("same")))


def test_a_write_that_is_made_before_a_change_keeps_the_old_value(database: Database) -> None:
    record = make_project(instance_ids=["a"])
    change = progress.save_project("session-1", record)
    record.instance_ids.append("b")
    record.state = "LATER"
    write_all(database, change)
    assert read(database, lambda c: progress.list_projects(c, "session-1")) == [
        make_project(instance_ids=["a"])
    ]
