"""The constraints of instances and groups (wire contract, "Constraints")."""

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
from fenix.domain import GroupConstraints, InstanceConstraints, InvalidField, NotFound
from fenix.store import constraints
from fenix.store.admission import Connection

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
    services.policy.own(caller, project)
    given = body.model_dump() | {"instance_id": instance, "project_id": project}
    new = InstanceConstraints(**given)

    def write(connection: Connection) -> None:
        old = constraints.get_instance(connection, instance)
        if old:
            services.policy.own(caller, old.project_id)
        constraints.put_instance(connection, new)

    await services.database.write(write)
    return InstanceConstraintsView.model_validate(new)


@router.get("/instance/{instance}", responses=documented(400, 401, 403, 404, 503))
async def get_instance(
    services: ServicesDep, caller: Identified, instance: InstanceId
) -> InstanceConstraintsView:
    """Shows the constraints of an instance."""
    found = await services.database.read(lambda c: constraints.get_instance(c, instance))
    if found is None:
        raise NotFound("constraints of instance", instance)
    services.policy.look(caller, found.project_id)
    return InstanceConstraintsView.model_validate(found)


@router.delete("/instance/{instance}", responses=documented(400, 401, 403, 503))
async def delete_instance(services: ServicesDep, caller: Identified, instance: InstanceId) -> Empty:
    """Forgets the constraints of an instance; no error where there are none."""

    def write(connection: Connection) -> None:
        old = constraints.get_instance(connection, instance)
        if old:
            services.policy.own(caller, old.project_id)
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
    services.policy.own(caller, project)
    new = GroupConstraints(**body.model_dump() | {"group_id": group, "project_id": project})

    def write(connection: Connection) -> None:
        old = constraints.get_group(connection, group)
        if old:
            services.policy.own(caller, old.project_id)
        constraints.put_group(connection, new)

    await services.database.write(write)
    return GroupConstraintsView.model_validate(new)


@router.get("/instance_group/{group}", responses=documented(400, 401, 403, 404, 503))
async def get_group(
    services: ServicesDep, caller: Identified, group: GroupId
) -> GroupConstraintsView:
    """Shows the constraints of a group."""
    found = await services.database.read(lambda c: constraints.get_group(c, group))
    if found is None:
        raise NotFound("constraints of group", group)
    services.policy.look(caller, found.project_id)
    return GroupConstraintsView.model_validate(found)


@router.delete("/instance_group/{group}", responses=documented(400, 401, 403, 503))
async def delete_group(services: ServicesDep, caller: Identified, group: GroupId) -> Empty:
    """Forgets the constraints of a group; those of its members stay."""

    def write(connection: Connection) -> None:
        old = constraints.get_group(connection, group)
        if old:
            services.policy.own(caller, old.project_id)
            constraints.delete_group(connection, group)

    await services.database.write(write)
    return Empty()


def _check_id(field: str, given: str | None, in_path: str) -> None:
    if given is not None and given != in_path:
        raise InvalidField(field, given, f"the one in the path, {in_path}")


def _project(given: str | None, caller: Caller, services: Services) -> str:
    """Whose the constraints are: of the token's project, or whose an administrator says.

    What anybody else says is not believed, and is no error: Tacker's plug-in cuts the id out of a
    link and may well send another one.
    """
    admin = services.policy.is_admin(caller)
    project = given if admin else None
    project = project or caller.project_id or (None if admin else given)
    if project is None:
        raise Malformed("project_id is missing.")
    return project
