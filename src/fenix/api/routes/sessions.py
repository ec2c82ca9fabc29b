"""What administrators do with sessions (wire contract, "Admin API")."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from fenix.api import detail, streaming
from fenix.api.auth import Caller
from fenix.api.dependencies import RunId, ServicesDep, SessionId, may
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.schemas.fields import Empty
from fenix.api.schemas.progress import ActionView
from fenix.api.schemas.requests import ContinueBody, SessionBody
from fenix.api.schemas.sessions import (
    SessionContinued,
    SessionCreated,
    SessionDetail,
    SessionList,
    SessionView,
    Timeline,
)
from fenix.api.services import Services
from fenix.api.validation import body_of
from fenix.domain import InvalidField, TimelineEntry
from fenix.engine import intake
from fenix.store import sessions, timeline
from fenix.store.admission import Connection

router = APIRouter(prefix="/v1/maintenance", tags=["sessions"])

Creating = Annotated[Caller, Depends(may("session:create"))]
Listing = Annotated[Caller, Depends(may("session:list"))]
Showing = Annotated[Caller, Depends(may("session:show"))]
Continuing = Annotated[Caller, Depends(may("session:continue"))]
Deleting = Annotated[Caller, Depends(may("session:delete"))]

LARGEST_ID = 2**31 - 1


@router.post("", responses=documented(400, 401, 403, 409, 413, 503), **takes(SessionBody))
async def create_session(
    request: Request,
    services: ServicesDep,
    caller: Creating,
    body: Annotated[SessionBody, Depends(body_of(SessionBody))],
) -> SessionCreated:
    """Creates a maintenance session.

    The answer comes at once; an engine does the work. Nothing is created if anything is wrong:
    the workflow and the action plug-ins must be installed, each host must exist and be in no other
    session that has not ended, and `metadata` must fit into a notification.
    """
    session = await intake.create_session(
        services.database,
        services.cloud,
        body.request(services.settings.session_options),
        _admin_project(caller, services),
        services.now(),
        services.settings.rules,
        by=caller.name,
    )
    request.state.session = session.id
    services.wake()
    return SessionCreated(session_id=session.id)


@router.get("", responses=documented(401, 403, 503))
async def list_sessions(services: ServicesDep, caller: Listing) -> SessionList:
    """Lists the ids of all sessions."""
    ids = list(await services.database.read(sessions.list_ids))
    return SessionList(sessions=ids, session_id=ids)


@router.get("/{session}", responses=documented(400, 401, 403, 404, 503))
async def show_session(services: ServicesDep, caller: Showing, session: SessionId) -> SessionView:
    """Shows where a session stands, and what it waits for."""
    found = await services.database.read(lambda c: detail.find(c, session))
    return SessionView.model_validate(found)


@router.get(
    "/{session}/detail",
    response_model=SessionDetail,
    responses=documented(400, 401, 403, 404, 503),
)
async def show_detail(services: ServicesDep, caller: Showing, session: SessionId) -> Response:
    """Shows everything about a session but its timeline and the whole logs of its actions.

    The answer of a large session comes in pieces. Where it can't be brought to its end, as when the
    session is deleted meanwhile, the connection is cut.
    """
    return await streaming.show(services.database, session)


@router.get("/{session}/timeline", responses=documented(400, 401, 403, 404, 503))
async def show_timeline(
    services: ServicesDep,
    caller: Showing,
    session: SessionId,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_ID, description="Only lines with a larger id.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
) -> Timeline:
    """Shows what happened in a session, oldest first."""

    def read(connection: Connection) -> Sequence[tuple[int, TimelineEntry]]:
        detail.find(connection, session)
        return timeline.list_entries(connection, session, after, limit)

    lines = await services.database.read(read)
    entries = [detail.fields_of(entry) | {"id": ident} for ident, entry in lines]
    return Timeline.model_validate(
        {"timeline": entries, "next": lines[-1][0] if len(lines) == limit else None}
    )


@router.get("/{session}/actions/{run}", responses=documented(400, 401, 403, 404, 503))
async def show_action(
    services: ServicesDep, caller: Showing, session: SessionId, run: RunId
) -> ActionView:
    """Shows one run of an action plug-in, with its whole log."""
    found = await services.database.read(lambda c: detail.whole_action(c, session, run))
    return ActionView.model_validate(found)


@router.put(
    "/{session}",
    responses=documented(400, 401, 403, 404, 409, 413, 503),
    **takes(ContinueBody),
)
async def continue_session(
    services: ServicesDep,
    caller: Continuing,
    session: SessionId,
    body: Annotated[ContinueBody, Depends(body_of(ContinueBody))],
) -> SessionContinued:
    """Lets a failed session go on at a state."""
    await intake.continue_session(
        services.database, session, body.state, services.now(), by=caller.name
    )
    services.wake()
    url = f"{services.settings.public_endpoint}/maintenance/{session}"
    return SessionContinued(maintenance=url, session_id=session)


@router.delete("/{session}", responses=documented(400, 401, 403, 404, 503))
async def delete_session(services: ServicesDep, caller: Deleting, session: SessionId) -> Empty:
    """Ends a session safely, in whatever state it is, and forgets it.

    Moves and actions under way are waited for, and the hosts that it disabled are enabled again;
    until then it can be looked at.
    """
    await intake.delete_session(services.database, session, services.now(), by=caller.name)
    services.wake()
    return Empty()


def _admin_project(caller: Caller, services: Services) -> str:
    """The project that messages for infrastructure services will carry."""
    project = caller.project_id or services.settings.admin_project_id
    if project is None:
        raise InvalidField(
            "X-Auth-Token", "a token for the system", "a token of the administrators' project"
        )
    return project
