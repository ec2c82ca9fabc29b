"""Sessions: written once by the API, then by the engine that holds the lease."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update
from sqlalchemy import Row as Selected

from fenix.domain import ActionSpec, ActionType, Ending, Session, SessionOptions, SessionRequest
from fenix.domain.options import SilentPolicy, UnmanagedPolicy
from fenix.domain.session import SessionState
from fenix.store.messages import count_pending
from fenix.store.tables import leases, sessions
from fenix.store.writing import Row, Write, rows, same

_SAVE_PROGRESS = same(
    update(sessions)
    .where(sessions.c.id == bindparam("s"))
    .values({name: bindparam(name) for name in ("percent_done", "waiting_for", "updated_at")})
)
_UPDATE = update(sessions).where(sessions.c.id == bindparam("s"))
"""Sets the columns that are named when it is executed."""
PRESENT = or_(sessions.c.open, sessions.c.ending.is_(None), sessions.c.ending != Ending.DELETED)
"""Not deleted."""
_GET = select(sessions).where(sessions.c.id == bindparam("s"), PRESENT)
_OPEN = select(sessions.c.open).where(sessions.c.id == bindparam("s"), PRESENT)
_REQUESTS = select(sessions.c.id).where(
    sessions.c.id.in_(bindparam("sessions", expanding=True)),
    or_(sessions.c.delete_requested, sessions.c.resume_state.is_not(None)),
)


def create(connection: Connection, session: Session) -> None:
    """Writes a new session with a lease that nobody holds."""
    request = session.request
    connection.execute(
        insert(sessions).values(
            workflow=request.workflow,
            maintenance_at=request.maintenance_at,
            metadata=dict(request.metadata),
            hosts=list(request.hosts),
            actions=[asdict(action) for action in request.actions],
            download=list(request.download),
            options=asdict(request.options),
            **_progress(session),
            id=session.id,
            admin_project_id=session.admin_project_id,
            created_at=session.created_at,
            delete_requested=session.delete_requested,
            open=session.open,
        )
    )
    connection.execute(
        insert(leases).values(session_id=session.id, owner=None, epoch=0, beat=0, writes=0)
    )


def save(session: Session) -> Write:
    """Writes how far a session is; `open` and what administrators want are not touched."""
    row = {"s": session.id, **_progress(session)}

    def write(connection: Connection) -> None:
        connection.execute(_UPDATE, row)

    return write


def save_progress(
    session_id: str, percent_done: int, waiting_for: list[dict[str, Any]], at: datetime
) -> Write:
    """Writes what an operator wants to see while the session goes on."""
    row = {
        "s": session_id,
        "percent_done": percent_done,
        "waiting_for": list(waiting_for),
        "updated_at": at,
    }
    return rows(Row(_SAVE_PROGRESS, row))


def get(connection: Connection, session_id: str) -> Session | None:
    """The session, or None where there is none or it is deleted."""
    row = connection.execute(_GET, {"s": session_id}).first()
    return _session(row) if row else None


def is_open(connection: Connection, session_id: str) -> bool | None:
    """Whether there is something to do for a session; None: there is none, or it is deleted."""
    opened: bool | None = connection.execute(_OPEN, {"s": session_id}).scalar()
    return opened


def list_all(connection: Connection) -> Sequence[Session]:
    """All sessions, oldest first; not those that are deleted."""
    query = select(sessions).where(PRESENT).order_by(sessions.c.created_at, sessions.c.id)
    return [_session(row) for row in connection.execute(query)]


def list_ids(connection: Connection) -> Sequence[str]:
    """The ids of all sessions, in the order of `list_all`."""
    query = select(sessions.c.id).where(PRESENT).order_by(sessions.c.created_at, sessions.c.id)
    return connection.scalars(query).all()


def count(connection: Connection) -> int:
    """How many sessions there are."""
    return connection.scalar(select(func.count()).select_from(sessions).where(PRESENT)) or 0


def request_delete(connection: Connection, session_id: str) -> bool:
    """Notes that a session is to be ended and forgotten, whatever it does now.

    Returns:
        False when there is no such session (any more).
    """
    changed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, PRESENT)
        .values(delete_requested=True, open=True)
    )
    return changed.rowcount == 1


def requests(connection: Connection, session_ids: Sequence[str]) -> frozenset[str]:
    """Which of these sessions an administrator wants continued or deleted."""
    return frozenset(connection.scalars(_REQUESTS, {"sessions": list(session_ids)}))


def request_resume(connection: Connection, session_id: str, state: SessionState) -> bool:
    """Notes that a failed session is to go on at a state.

    Returns:
        False when it is not failed (any more), and then nothing is changed.
    """
    changed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.state == SessionState.MAINTENANCE_FAILED)
        .where(~sessions.c.delete_requested, sessions.c.resume_state.is_(None))
        .values(resume_state=state, open=True)
    )
    return changed.rowcount == 1


def close(connection: Connection, session_id: str) -> bool:
    """Notes that there is nothing more to do for a session.

    Returns:
        False when an administrator has just asked for something.
    """
    # Takes the row first: who has messages sent again writes them before it opens the session.
    connection.execute(_UPDATE, {"s": session_id, "waiting_for": []})
    if count_pending(connection, session_id):
        return False
    closed = connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.resume_state.is_(None))
        .where(~sessions.c.delete_requested | (sessions.c.ending == Ending.DELETED))
        .values(open=False)
    )
    return closed.rowcount == 1


def reopen(connection: Connection, session_id: str) -> None:
    """Has an engine take a session, though its work may be done."""
    connection.execute(_UPDATE, {"s": session_id, "open": True})


def resumed(session_id: str) -> Write:
    """Notes that the engine has seen the request to go on."""

    def write(connection: Connection) -> None:
        connection.execute(_UPDATE, {"s": session_id, "resume_state": None})

    return write


def _progress(session: Session) -> dict[str, Any]:
    return {
        "updated_at": session.updated_at,
        "finished_at": session.finished_at,
        "state": session.state,
        "failed_state": session.failed_state,
        "reason": session.reason,
        "ending": session.ending,
        "memory": dict(session.memory),
        "percent_done": session.percent_done,
        "waiting_for": list(session.waiting_for),
    }


def _session(row: Selected[Any]) -> Session:
    request = SessionRequest(
        workflow=row.workflow,
        maintenance_at=row.maintenance_at,
        metadata=row.metadata,
        hosts=tuple(row.hosts),
        actions=tuple(_action(action) for action in row.actions),
        download=tuple(row.download),
        options=options_from(row.options),
    )
    return Session(
        id=row.id,
        request=request,
        admin_project_id=row.admin_project_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        state=SessionState(row.state),
        failed_state=SessionState(row.failed_state) if row.failed_state else None,
        reason=row.reason,
        resume_state=SessionState(row.resume_state) if row.resume_state else None,
        ending=Ending(row.ending) if row.ending else None,
        memory=dict(row.memory),
        percent_done=row.percent_done,
        waiting_for=list(row.waiting_for),
        delete_requested=row.delete_requested,
        open=row.open,
    )


def _action(stored: Mapping[str, Any]) -> ActionSpec:
    return ActionSpec(stored["plugin"], ActionType(stored["type"]), stored["metadata"])


def options_from(stored: Mapping[str, Any]) -> SessionOptions:
    """Options as they were stored; fields that a newer release added have their defaults."""
    known = {name: stored[name] for name in SessionOptions.__slots__ if name in stored}
    if "unmanaged_projects" in known:
        known["unmanaged_projects"] = UnmanagedPolicy(known["unmanaged_projects"])
    if "silent_projects" in known:
        known["silent_projects"] = SilentPolicy(known["silent_projects"])
    return SessionOptions(**known)
