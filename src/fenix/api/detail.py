"""What there is to show of a session: its head, and lists that are read page by page."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from fenix.api.schemas.progress import (
    ActionView,
    HostView,
    InstanceView,
    MessageView,
    MoveView,
    ProjectView,
)
from fenix.api.schemas.sessions import Problem, RequestView, SessionHead, SpecView
from fenix.domain import (
    ActionRecord,
    ActionState,
    Delivery,
    HostRecord,
    HostState,
    Message,
    MoveRecord,
    MoveState,
    NotFound,
    Session,
    SessionRequest,
)
from fenix.store import pages, progress, sessions
from fenix.store.admission import Connection

LOG_SHOWN = 2000
"""Characters of an action's log that the detail shows, from its end."""


@dataclass(frozen=True)
class Source:
    """Where the elements of one of the detail's lists come from.

    Attributes:
        name: of the list; those that follow each other with the same name fill one.
        view: what the elements are shown as.
        page: the next rows behind one, at most so many.
        shown: a row as the view takes it.
    """

    name: str
    view: TypeAdapter[list[Any]]
    page: Callable[[Connection, str, Any, int], Sequence[Any]]
    shown: Callable[[Any], Any] = lambda row: row

    def json(self, rows: Sequence[Any]) -> bytes:
        """The elements with commas between them."""
        checked = self.view.validate_python([self.shown(row) for row in rows])
        return self.view.dump_json(checked)[1:-1]


def find(connection: Connection, session_id: str) -> Session:
    """The session.

    Raises:
        NotFound: there is none.
    """
    session = sessions.get(connection, session_id)
    if session is None:
        raise NotFound("session", session_id)
    return session


def whole_action(connection: Connection, session_id: str, run_id: str) -> dict[str, Any]:
    """A run of an action with its whole log.

    Raises:
        NotFound: there is no such session or run.
    """
    find(connection, session_id)
    run = progress.get_action(connection, session_id, run_id)
    if run is None:
        raise NotFound(f"in session {session_id} the run of an action", run_id)
    record, executor = run
    return fields_of(record) | {"executor": executor}


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass, not going deeper."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def head(session: Session) -> SessionHead:
    """What the detail begins with."""
    return SessionHead.model_validate(fields_of(session) | {"request": _request(session.request)})


def problem(what: str, subject: str, error: str) -> dict[str, str]:
    """Something that went wrong, as `Problem` takes it."""
    return {"what": what, "subject": subject, "error": error}


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


def _runs(
    connection: Connection, session_id: str, after: Any, limit: int
) -> Sequence[tuple[ActionRecord, str]]:
    # One more than is shown, to know whether it is all.
    return pages.actions(connection, session_id, after, limit, log_end=LOG_SHOWN + 1)


def _action(run: tuple[ActionRecord, str]) -> dict[str, Any]:
    record, executor = run
    log = record.log
    shown = "[...] " + log[-LOG_SHOWN:] if len(log) > LOG_SHOWN else log
    return fields_of(record) | {"executor": executor, "log": shown}


def _message(found: tuple[Message, Sequence[Delivery]]) -> dict[str, Any]:
    message, deliveries = found
    return fields_of(message) | {"deliveries": deliveries}


def _failed_host(host: HostRecord) -> dict[str, str]:
    return problem("host", host.name, host.why)


def _failed_move(move: MoveRecord) -> dict[str, str]:
    return problem("move", move.instance_id, move.error or "it failed")


def _failed_action(run: tuple[ActionRecord, str]) -> dict[str, str]:
    action, _ = run
    subject = f"{action.plugin} on {action.host}" if action.host else action.plugin
    return problem("action", subject, action.error or "it failed")


def _given_up(delivery: Delivery) -> dict[str, str]:
    subject = f"{delivery.message.state} to project {delivery.message.project_id}"
    return problem("delivery", subject, delivery.error or "nobody took it")


_PROBLEMS = TypeAdapter(list[Problem])

SOURCES = (
    Source("hosts", TypeAdapter(list[HostView]), pages.hosts),
    Source("instances", TypeAdapter(list[InstanceView]), pages.instances),
    Source("projects", TypeAdapter(list[ProjectView]), pages.projects),
    Source("moves", TypeAdapter(list[MoveView]), pages.moves),
    Source("actions", TypeAdapter(list[ActionView]), _runs, _action),
    Source("messages", TypeAdapter(list[MessageView]), pages.messages, _message),
    # What went wrong, from the whole to the parts.
    Source(
        "errors",
        _PROBLEMS,
        lambda c, s, after, limit: pages.hosts(c, s, after, limit, HostState.FAILED),
        _failed_host,
    ),
    Source(
        "errors",
        _PROBLEMS,
        lambda c, s, after, limit: pages.moves(c, s, after, limit, MoveState.FAILED),
        _failed_move,
    ),
    Source(
        "errors",
        _PROBLEMS,
        lambda c, s, after, limit: pages.actions(c, s, after, limit, ActionState.FAILED),
        _failed_action,
    ),
    Source("errors", _PROBLEMS, pages.given_up, _given_up),
)
"""All of a session, in the order in which it is shown."""
