"""What routes ask for: the services, and a caller who may make the call."""

from typing import Annotated

from fastapi import Depends, Path, Request

from fenix.api.auth import Caller
from fenix.api.schemas.fields import ID_PATTERN
from fenix.api.services import Services, services_of

ServicesDep = Annotated[Services, Depends(services_of)]

SessionId = Annotated[str, Path(pattern=ID_PATTERN, description="A session's id.")]
ProjectId = Annotated[str, Path(pattern=ID_PATTERN, description="A project's id.")]
InstanceId = Annotated[str, Path(pattern=ID_PATTERN, description="An instance's id.")]
GroupId = Annotated[str, Path(pattern=ID_PATTERN, description="A group's id.")]
SubscriptionId = Annotated[str, Path(pattern=ID_PATTERN, description="A subscription's id.")]
RunId = Annotated[str, Path(pattern=ID_PATTERN, description="The id of a run of an action.")]


async def identified(request: Request, services: ServicesDep) -> Caller:
    """Whoever calls; the log gets to know it as well."""
    caller = await services.authenticator.authenticate(request.headers)
    request.state.caller = caller
    return caller


Identified = Annotated[Caller, Depends(identified)]


def administrator(caller: Identified, services: ServicesDep) -> Caller:
    """An administrator."""
    services.policy.administer(caller)
    return caller


def observer(caller: Identified, services: ServicesDep) -> Caller:
    """Somebody who may see all sessions."""
    services.policy.observe(caller)
    return caller


def answering(project: ProjectId, caller: Identified, services: ServicesDep) -> Caller:
    """A member of the project in the path."""
    services.policy.answer(caller, project)
    return caller


def looking(project: ProjectId, caller: Identified, services: ServicesDep) -> Caller:
    """Somebody who may see what concerns the project in the path."""
    services.policy.look(caller, project)
    return caller


Administrator = Annotated[Caller, Depends(administrator)]
Observer = Annotated[Caller, Depends(observer)]
Answering = Annotated[Caller, Depends(answering)]
Looking = Annotated[Caller, Depends(looking)]
