"""What a project may do in a simulated cloud: the part of the server that application managers use.

A project sees and changes its own instances only, and never chooses a host.
"""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from fenix.clouds.base import CloudError
from fenix.clouds.simulated.model import SimulatedInstance
from fenix.clouds.simulated.wire import Json
from fenix.clouds.simulated.world import World
from fenix.domain import InstanceStatus, Resources

_Name = Annotated[str, Field(min_length=1, max_length=255)]
_Count = Annotated[int, Field(ge=0, le=2**31)]
_Seconds = Annotated[float, Field(ge=0, le=86400)]


class NewInstance(BaseModel):
    """The body that asks for an instance."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    vcpus: _Count
    memory_mb: _Count
    disk_gb: _Count
    group_id: str | None = None
    zone: str | None = None
    floating_ip: bool = False
    live_migration_seconds: _Seconds = 10.0
    migration_seconds: _Seconds = 30.0


class FloatingIpMove(BaseModel):
    """The body that moves the floating IP; both are ids of instances."""

    source: str
    target: str


def tenant_router(world: World) -> APIRouter:
    """The tenants' routes over a world; errors are those of `fenix.clouds.simulated.server`."""
    router = APIRouter(prefix="/projects/{project}")

    def own(project: str, ident: str) -> SimulatedInstance:
        instance = world.instances.get(ident)
        if instance is None or instance.project_id != project:
            raise HTTPException(404, f"instance {ident} could not be found")
        return instance

    @router.get("/instances")
    async def list_instances(project: str) -> Json:
        status = world.inventory().instances
        return {
            "instances": [
                _shown(instance, status[instance.id].status)
                for instance in world.instances.values()
                if instance.project_id == project
            ]
        }

    @router.get("/groups")
    async def list_groups(project: str) -> Json:
        return {
            "groups": [
                {
                    "id": group.id,
                    "anti_affinity": group.anti_affinity,
                    "max_instances_per_host": group.max_instances_per_host,
                }
                for group in world.groups.values()
                if group.project_id == project
            ]
        }

    @router.post("/instances")
    async def create(project: str, wanted: NewInstance) -> Json:
        group = world.groups.get(wanted.group_id) if wanted.group_id else None
        if wanted.group_id and (group is None or group.project_id != project):
            raise HTTPException(404, f"group {wanted.group_id} could not be found")
        instance = SimulatedInstance(
            id=str(uuid.uuid4()),
            name=wanted.name,
            project_id=project,
            size=Resources(wanted.vcpus, wanted.memory_mb, wanted.disk_gb),
            group_id=wanted.group_id,
            zone=wanted.zone,
            floating_ip=wanted.floating_ip,
            live_migration_seconds=wanted.live_migration_seconds,
            migration_seconds=wanted.migration_seconds,
        )
        return _shown(world.create_instance(instance), InstanceStatus.ACTIVE)

    @router.delete("/instances/{ident}")
    async def delete(project: str, ident: str) -> Json:
        world.delete_instance(own(project, ident).id)
        return {}

    @router.post("/instances/{ident}/rebuild")
    async def rebuild(project: str, ident: str) -> Json:
        instance = await _rebuild(world, own(project, ident))
        return _shown(instance, InstanceStatus.ACTIVE)

    @router.post("/floating-ip")
    async def move_floating_ip(project: str, move: FloatingIpMove) -> Json:
        source, target = own(project, move.source), own(project, move.target)
        if not source.floating_ip:
            raise CloudError(f"instance {source.id} has no floating IP")
        source.floating_ip, target.floating_ip = False, True
        world.emit("floating_ip.moved", source=source.id, target=target.id)
        return {}

    return router


async def _rebuild(world: World, old: SimulatedInstance) -> SimulatedInstance:
    """Puts a new instance of the same name elsewhere in place of an instance.

    The answer comes after the time of a migration. Nothing is deleted before it is certain that
    another host takes the new one.

    Raises:
        CloudError: it is in the middle of a move, or no other host takes it.
    """
    if world.inventory().instances[old.id].status is InstanceStatus.BUSY:
        raise CloudError(f"instance {old.id} is {InstanceStatus.BUSY}")
    new = SimulatedInstance(
        id=str(uuid.uuid4()),
        name=old.name,
        project_id=old.project_id,
        size=old.size,
        group_id=old.group_id,
        zone=old.zone,
        floating_ip=old.floating_ip,
        live_migration_seconds=old.live_migration_seconds,
        migration_seconds=old.migration_seconds,
    )
    others = (host for host in world.hosts.values() if host.name != old.host)
    if all(world.obstacle(host, new) for host in others):
        raise CloudError(f"no valid host was found for instance {old.id}")
    world.delete_instance(old.id)
    world.create_instance(new, avoid=old.host)
    await asyncio.sleep(new.migration_seconds)
    return new


def _shown(instance: SimulatedInstance, status: InstanceStatus) -> Json:
    return {
        "id": instance.id,
        "name": instance.name,
        "host": instance.host,
        "group_id": instance.group_id,
        "zone": instance.zone,
        "status": status.value,
        "floating_ip": instance.floating_ip,
        **instance.size._asdict(),
        "live_migration_seconds": instance.live_migration_seconds,
        "migration_seconds": instance.migration_seconds,
    }
