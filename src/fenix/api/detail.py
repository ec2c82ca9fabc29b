"""Puts together all that there is to show of a session."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from fenix.api.schemas.progress import DeliveryView, MessageView
from fenix.api.schemas.sessions import RequestView, SessionDetail, SpecView
from fenix.domain import (
    ActionRecord,
    ActionState,
    Delivery,
    DeliveryState,
    HostRecord,
    HostState,
    InstanceRecord,
    Message,
    MoveRecord,
    MoveState,
    NotFound,
    ProjectRecord,
    Session,
    SessionRequest,
)
from fenix.store import messages, progress, sessions
from fenix.store.admission import Connection

LOG_SHOWN = 2000
"""Characters of an action's log that the detail shows, from its end."""


@dataclass(frozen=True)
class Everything:
    """The rows of a session, read in one transaction."""

    session: Session
    hosts: list[HostRecord]
    instances: list[InstanceRecord]
    projects: list[ProjectRecord]
    moves: list[MoveRecord]
    actions: list[tuple[ActionRecord, str]]
    messages: list[Message]
    deliveries: list[Delivery]


def find(connection: Connection, session_id: str) -> Session:
    """The session.

    Raises:
        NotFound: there is none.
    """
    session = sessions.get(connection, session_id)
    if session is None:
        raise NotFound("session", session_id)
    return session


def read(connection: Connection, session_id: str) -> Everything:
    """All rows of a session.

    Raises:
        NotFound: there is none.
    """
    return Everything(
        session=find(connection, session_id),
        hosts=list(progress.list_hosts(connection, session_id)),
        instances=list(progress.list_instances(connection, session_id)),
        projects=list(progress.list_projects(connection, session_id)),
        moves=list(progress.list_moves(connection, session_id)),
        actions=list(progress.list_actions(connection, session_id)),
        messages=list(messages.list_messages(connection, session_id)),
        deliveries=list(messages.list_deliveries(connection, session_id)),
    )


def show(rows: Everything) -> SessionDetail:
    """The rows as the API shows them."""
    session = rows.session
    return SessionDetail.model_validate(
        fields_of(session)
        | {
            "request": _request(session.request),
            "hosts": rows.hosts,
            "instances": rows.instances,
            "projects": rows.projects,
            "moves": rows.moves,
            "actions": [_action(record, executor) for record, executor in rows.actions],
            "messages": list(_messages(rows)),
            "errors": list(_problems(rows)),
        }
    )


def whole_action(connection: Connection, session_id: str, run_id: str) -> dict[str, Any]:
    """A run of an action with its whole log.

    Raises:
        NotFound: there is no such session or run.
    """
    find(connection, session_id)
    for record, executor in progress.list_actions(connection, session_id):
        if record.id == run_id:
            return fields_of(record) | {"executor": executor}
    raise NotFound(f"in session {session_id} the run of an action", run_id)


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass, not going deeper."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _request(request: SessionRequest) -> RequestView:
    return RequestView(
        workflow=request.workflow,
        maintenance_at=request.maintenance_at,
        metadata=dict(request.metadata),
        hosts=list(request.hosts),
        actions=[
            SpecView(plugin=one.plugin, type=one.type, metadata=dict(one.metadata))
            for one in request.actions
        ],
        download=list(request.download),
        options=asdict(request.options),
    )


def _action(record: ActionRecord, executor: str) -> dict[str, Any]:
    log = record.log
    if len(log) > LOG_SHOWN:
        record = replace(record, log="[...] " + log[-LOG_SHOWN:])
    return fields_of(record) | {"executor": executor}


def _messages(rows: Everything) -> Iterator[MessageView]:
    deliveries: dict[str, list[DeliveryView]] = defaultdict(list)
    for delivery in rows.deliveries:
        deliveries[delivery.message.id].append(DeliveryView.model_validate(delivery))
    for message in rows.messages:
        yield MessageView.model_validate(
            fields_of(message) | {"deliveries": deliveries.get(message.id, [])}
        )


def _problems(rows: Everything) -> Iterator[dict[str, str]]:
    """What went wrong, from the whole to the parts."""
    if rows.session.reason:
        yield _problem("session", rows.session.id, rows.session.reason)
    for host in rows.hosts:
        if host.state is HostState.FAILED:
            yield _problem("host", host.name, host.why)
    for move in rows.moves:
        if move.state is MoveState.FAILED:
            yield _problem("move", move.instance_id, move.error or "it failed")
    for action, _ in rows.actions:
        if action.state is ActionState.FAILED:
            subject = f"{action.plugin} on {action.host}" if action.host else action.plugin
            yield _problem("action", subject, action.error or "it failed")
    for delivery in rows.deliveries:
        if delivery.state is DeliveryState.GIVEN_UP:
            subject = f"{delivery.message.state} to project {delivery.message.project_id}"
            yield _problem("delivery", subject, delivery.error or "nobody took it")


def _problem(what: str, subject: str, error: str) -> dict[str, str]:
    return {"what": what, "subject": subject, "error": error}
