"""What routes ask for: the services, and a caller who may make the call."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Path, Request

from fenix.api.auth import Caller
from fenix.api.schemas.fields import ID_PATTERN
from fenix.api.services import Services, services_of
from fenix.logs import also_about

ServicesDep = Annotated[Services, Depends(services_of)]

SessionId = Annotated[str, Path(pattern=ID_PATTERN, description="A session's id.")]
ProjectId = Annotated[str, Path(pattern=ID_PATTERN, description="A project's id.")]
InstanceId = Annotated[str, Path(pattern=ID_PATTERN, description="An instance's id.")]
GroupId = Annotated[str, Path(pattern=ID_PATTERN, description="A group's id.")]
SubscriptionId = Annotated[str, Path(pattern=ID_PATTERN, description="A subscription's id.")]
RunId = Annotated[str, Path(pattern=ID_PATTERN, description="The id of a run of an action.")]


async def identified(request: Request, services: ServicesDep) -> Caller:
    """Whoever calls, and not too often; the log gets to know it as well."""
    known = await services.authenticator.authenticate(request.headers)
    caller = replace(known, elsewhere=[])  # an authenticator may know a caller from before
    request.state.caller = caller
    also_about(user_id=caller.user_id, project_id=caller.project_id)
    if who := caller.project_id or caller.user_id:
        services.rates.take(who)
    return caller


Identified = Annotated[Caller, Depends(identified)]


def may(rule: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives a caller whom a policy about the whole cloud lets pass."""

    async def passed(request: Request, caller: Identified, services: ServicesDep) -> Caller:
        request.state.policy = rule  # for the audit
        services.policy.authorize(caller, rule)
        request.state.allowed = True
        return caller

    return passed


def may_for_project(rule: str) -> Callable[..., Caller]:
    """The same for a policy about the project in the path."""

    def passed(project: ProjectId, caller: Identified, services: ServicesDep) -> Caller:
        services.policy.authorize(caller, rule, project)
        return caller

    return passed
