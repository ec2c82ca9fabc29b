"""Makes the domain's objects for tests: whole and valid, each field open to change."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from fenix.domain import (
    ActionRecord,
    ActionType,
    BodyFormat,
    EventType,
    GroupConstraints,
    HostRecord,
    InstanceConstraints,
    InstanceRecord,
    Message,
    MoveAction,
    MoveRecord,
    ProjectRecord,
    ProjectState,
    Reply,
    Session,
    SessionRequest,
    Subscription,
    TimelineEntry,
)


def at(seconds: float = 0) -> datetime:
    """A time, some seconds after a fixed one that has microseconds."""
    return datetime(2026, 1, 2, 3, 4, 5, 678901) + timedelta(seconds=seconds)


def make_request(**fields: Any) -> SessionRequest:
    """What an administrator asks for: workflow `default` on all hosts."""
    defaults: dict[str, Any] = {"workflow": "default", "maintenance_at": at(3600)}
    return SessionRequest(**defaults | fields)


def make_session(**fields: Any) -> Session:
    """A new session."""
    defaults: dict[str, Any] = {
        "id": str(uuid4()),
        "request": make_request(),
        "admin_project_id": "admin",
        "created_at": at(),
        "updated_at": at(),
    }
    return Session(**defaults | fields)


def make_host(name: str = "compute-1", **fields: Any) -> HostRecord:
    """A host that nothing has been done with."""
    return HostRecord(name=name, **fields)


def make_instance(instance_id: str = "instance-1", **fields: Any) -> InstanceRecord:
    """An instance that nothing has been done with."""
    defaults: dict[str, Any] = {"name": "vm", "project_id": "project-1", "host": "compute-1"}
    return InstanceRecord(id=instance_id, **defaults | fields)


def make_project(project_id: str = "project-1", **fields: Any) -> ProjectRecord:
    """A project that no message has gone to."""
    return ProjectRecord(id=project_id, **fields)


def make_move(key: str = "move-1", **fields: Any) -> MoveRecord:
    """A live migration that is intended."""
    defaults: dict[str, Any] = {
        "instance_id": "instance-1",
        "source": "compute-1",
        "target": "compute-2",
        "action": MoveAction.LIVE_MIGRATE,
        "started_at": at(),
    }
    return MoveRecord(key=key, **defaults | fields)


def make_action(key: str = "action-1", **fields: Any) -> ActionRecord:
    """A run of an action on a host that is intended."""
    defaults: dict[str, Any] = {
        "id": str(uuid4()),
        "plugin": "noop",
        "type": ActionType.HOST,
        "host": "compute-1",
        "metadata": {},
        "started_at": at(),
    }
    return ActionRecord(key=key, **defaults | fields)


def make_message(sequence: int = 1, **fields: Any) -> Message:
    """A message to a project that the maintenance begins."""
    defaults: dict[str, Any] = {
        "id": str(uuid4()),
        "key": f"message-{sequence}",
        "event_type": EventType.SCHEDULED,
        "project_id": "project-1",
        "state": ProjectState.MAINTENANCE,
        "payload": {"state": "MAINTENANCE"},
        "created_at": at(sequence),
    }
    return Message(sequence=sequence, **defaults | fields)


def make_reply(session_id: str, **fields: Any) -> Reply:
    """A project's ACK to the beginning of a maintenance."""
    defaults: dict[str, Any] = {"project_id": "project-1", "state": ProjectState.MAINTENANCE.ack}
    return Reply(session_id=session_id, **defaults | fields)


def make_entry(what: str = "session.created", **fields: Any) -> TimelineEntry:
    """A line of a timeline."""
    defaults: dict[str, Any] = {"at": at(), "who": "engine-1", "what": what}
    return TimelineEntry(**defaults | fields)


def make_subscription(**fields: Any) -> Subscription:
    """A subscription to all kinds of messages."""
    defaults: dict[str, Any] = {
        "id": str(uuid4()),
        "project_id": "project-1",
        "url": "http://127.0.0.1:9/alarm",
        "format": BodyFormat.AODH,
        "event_types": tuple(EventType),
        "created_at": at(),
    }
    return Subscription(**defaults | fields)


def make_instance_constraints(
    instance_id: str = "instance-1", **fields: Any
) -> InstanceConstraints:
    """An instance's constraints, the defaults where there are any."""
    defaults: dict[str, Any] = {
        "project_id": "project-1",
        "group_id": "group-1",
        "instance_name": "vm",
    }
    return InstanceConstraints(instance_id=instance_id, **defaults | fields)


def make_group_constraints(group_id: str = "group-1", **fields: Any) -> GroupConstraints:
    """A group's constraints, the defaults where there are any."""
    return GroupConstraints(group_id=group_id, **{"project_id": "project-1"} | fields)
