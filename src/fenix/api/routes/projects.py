"""What application managers ask and answer (wire contract, "Project API")."""

from typing import Annotated

from fastapi import APIRouter, Depends

from fenix.api import detail
from fenix.api.auth import Caller
from fenix.api.dependencies import (
    InstanceId,
    ProjectId,
    ServicesDep,
    SessionId,
    may_for_project,
)
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.schemas.fields import Empty
from fenix.api.schemas.requests import InstanceReplyBody, ReplyBody
from fenix.api.schemas.sessions import InstanceIds
from fenix.api.services import Services
from fenix.api.validation import body_of
from fenix.domain import NotFound, ProjectRecord, Reply
from fenix.engine import intake
from fenix.store import progress
from fenix.store.admission import Connection

router = APIRouter(prefix="/v1/maintenance/{session}/{project}", tags=["projects"])

Showing = Annotated[Caller, Depends(may_for_project("project:show"))]
Replying = Annotated[Caller, Depends(may_for_project("project:reply"))]


@router.get("", responses=documented(400, 401, 403, 404, 503))
async def list_instances(
    services: ServicesDep, session: SessionId, project: ProjectId, caller: Showing
) -> InstanceIds:
    """Lists the project's instances that the last message to it concerns."""

    def read(connection: Connection) -> ProjectRecord | None:
        detail.find(connection, session)
        return progress.get_project(connection, session, project)

    found = await services.database.read(read)
    if found is None:
        raise NotFound(f"in session {session} project", project)
    return InstanceIds(instance_ids=found.instance_ids)


@router.put("", responses=documented(400, 401, 403, 404, 413, 503), **takes(ReplyBody))
async def reply(
    services: ServicesDep,
    session: SessionId,
    project: ProjectId,
    caller: Replying,
    body: Annotated[ReplyBody, Depends(body_of(ReplyBody))],
) -> Empty:
    """Answers a message to the project.

    An answer that is late, doubled or not asked for is accepted, and changes nothing.
    """
    actions = body.instance_actions or {}
    return await _accept(services, Reply(session, project, body.state, None, actions))


@router.put(
    "/{instance}", responses=documented(400, 401, 403, 404, 413, 503), **takes(InstanceReplyBody)
)
async def reply_for_instance(
    services: ServicesDep,
    session: SessionId,
    project: ProjectId,
    instance: InstanceId,
    caller: Replying,
    body: Annotated[InstanceReplyBody, Depends(body_of(InstanceReplyBody))],
) -> Empty:
    """Answers a message about one instance.

    An answer that is late, doubled or not asked for is accepted, and changes nothing.
    """
    actions = {instance: body.instance_action} if body.instance_action else {}
    return await _accept(services, Reply(session, project, body.state, instance, actions))


async def _accept(services: Services, reply: Reply) -> Empty:
    await intake.accept_reply(services.database, reply, services.now())
    services.wake()
    return Empty()
