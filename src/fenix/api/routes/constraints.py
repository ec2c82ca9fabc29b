"""The constraints of instances and groups (wire contract, "Constraints")."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends

from fenix.api.auth import Caller
from fenix.api.dependencies import GroupId, Identified, InstanceId, ServicesDep
from fenix.api.errors import documented
from fenix.api.openapi import takes
from fenix.api.schemas.constraints import (
    GroupConstraintsBody,
    GroupConstraintsView,
    InstanceConstraintsBody,
    InstanceConstraintsView,
)
from fenix.api.schemas.fields import Empty
from fenix.api.services import Services
from fenix.api.validation import Malformed, body_of
from fenix.domain import (
    Forbidden,
    GroupConstraints,
    InstanceConstraints,
    InvalidField,
    NotFound,
    TooMany,
)
from fenix.store import constraints
from fenix.store.admission import Connection

Registered = InstanceConstraints | GroupConstraints

router = APIRouter(prefix="/v1", tags=["constraints"])


@router.put(
    "/instance/{instance}",
    responses=documented(400, 401, 403, 413, 503),
    **takes(InstanceConstraintsBody),
)
async def put_instance(
    services: ServicesDep,
    caller: Identified,
    instance: InstanceId,
    body: Annotated[InstanceConstraintsBody, Depends(body_of(InstanceConstraintsBody))],
) -> InstanceConstraintsView:
    """Creates or replaces the constraints of an instance."""
    _check_id("instance_id", body.instance_id, instance)
    project = _project(body.project_id, caller, services)
    services.policy.authorize(caller, "constraints:put", project)
    given = body.model_dump() | {"instance_id": instance, "project_id": project}
    new = InstanceConstraints(**given)
    await _put(
        services,
        caller,
        project,
        lambda connection: constraints.get_instance(connection, instance),
        lambda connection: constraints.put_instance(connection, new),
        lambda: services.owners.of_instance(instance),
    )
    return InstanceConstraintsView.model_validate(new)


@router.get("/instance/{instance}", responses=documented(400, 401, 403, 404, 503))
async def get_instance(
    services: ServicesDep, caller: Identified, instance: InstanceId
) -> InstanceConstraintsView:
    """Shows the constraints of an instance."""
    found = await services.database.read(lambda c: constraints.get_instance(c, instance))
    services.policy.authorize(caller, "constraints:show", _owner(found, caller))
    if found is None:
        raise NotFound("constraints of instance", instance)
    return InstanceConstraintsView.model_validate(found)


@router.delete("/instance/{instance}", responses=documented(400, 401, 403, 503))
async def delete_instance(services: ServicesDep, caller: Identified, instance: InstanceId) -> Empty:
    """Forgets the constraints of an instance; no error where there are none."""

    def write(connection: Connection) -> None:
        old = constraints.get_instance(connection, instance)
        services.policy.authorize(caller, "constraints:delete", _owner(old, caller))
        if old:
            constraints.delete_instance(connection, instance)

    await services.database.write(write)
    return Empty()


@router.put(
    "/instance_group/{group}",
    responses=documented(400, 401, 403, 413, 503),
    **takes(GroupConstraintsBody),
)
async def put_group(
    services: ServicesDep,
    caller: Identified,
    group: GroupId,
    body: Annotated[GroupConstraintsBody, Depends(body_of(GroupConstraintsBody))],
) -> GroupConstraintsView:
    """Creates or replaces the constraints of a group."""
    _check_id("group_id", body.group_id, group)
    project = _project(body.project_id, caller, services)
    services.policy.authorize(caller, "constraints:put", project)
    new = GroupConstraints(**body.model_dump() | {"group_id": group, "project_id": project})
    await _put(
        services,
        caller,
        project,
        lambda connection: constraints.get_group(connection, group),
        lambda connection: constraints.put_group(connection, new),
        lambda: services.owners.of_group(group),
    )
    return GroupConstraintsView.model_validate(new)


@router.get("/instance_group/{group}", responses=documented(400, 401, 403, 404, 503))
async def get_group(
    services: ServicesDep, caller: Identified, group: GroupId
) -> GroupConstraintsView:
    """Shows the constraints of a group."""
    found = await services.database.read(lambda c: constraints.get_group(c, group))
    services.policy.authorize(caller, "constraints:show", _owner(found, caller))
    if found is None:
        raise NotFound("constraints of group", group)
    return GroupConstraintsView.model_validate(found)


@router.delete("/instance_group/{group}", responses=documented(400, 401, 403, 503))
async def delete_group(services: ServicesDep, caller: Identified, group: GroupId) -> Empty:
    """Forgets the constraints of a group; those of its members stay."""

    def write(connection: Connection) -> None:
        old = constraints.get_group(connection, group)
        services.policy.authorize(caller, "constraints:delete", _owner(old, caller))
        if old:
            constraints.delete_group(connection, group)

    await services.database.write(write)
    return Empty()


async def _put(
    services: Services,
    caller: Caller,
    project: str,
    get: Callable[[Connection], Registered | None],
    put: Callable[[Connection], None],
    owner: Callable[[], Awaitable[str | None]],
) -> None:
    """Writes constraints of a project, if they are not another one's.

    Args:
        owner: asks the cloud whose the instance or group is: else whoever comes first with its id
            could keep it from its own project.
    """

    def write(connection: Connection, known_owner: bool = False) -> None:
        old = get(connection)
        if old and not known_owner:
            services.policy.authorize(caller, "constraints:put", old.project_id)
        _check_room(connection, project, old, services)
        put(connection)

    try:
        await services.database.write(write)
    except Forbidden:
        if await owner() != project:
            raise
        await services.database.write(partial(write, known_owner=True))


def _check_id(field: str, given: str | None, in_path: str) -> None:
    if given is not None and given != in_path:
        raise InvalidField(field, given, f"the one in the path, {in_path}")


def _check_room(
    connection: Connection, project: str, old: Registered | None, services: Services
) -> None:
    """Refuses another one to a project that has as many as it may have."""
    limit = services.settings.constraints_per_project
    if old and old.project_id == project:
        return
    if constraints.count(connection, project) >= limit:
        raise TooMany(
            f"Project {project} has constraints of {limit} instances and groups already, which is "
            "the limit [api] constraints_per_project."
        )


def _owner(found: Registered | None, caller: Caller) -> str | None:
    """Whose it is that is asked for; where there is nothing, the caller's own project's."""
    return found.project_id if found else caller.project_id


def _project(given: str | None, caller: Caller, services: Services) -> str:
    """Whose the constraints are: of the token's project, or whose an administrator says.

    What anybody else says is not believed, and is no error: Tacker's plug-in cuts the id out of a
    link and may well send another one.
    """
    admin = services.policy.allows(caller, "constraints:put_for_others")
    project = given if admin else None
    project = project or caller.project_id or (None if admin else given)
    if project is None:
        raise Malformed("project_id is missing.")
    return project
