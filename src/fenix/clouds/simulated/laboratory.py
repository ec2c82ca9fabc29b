"""What no real cloud has: its event log, hosts that die and faults on demand."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from fenix.clouds.simulated.eventlog import EventLog
from fenix.clouds.simulated.model import Fault
from fenix.clouds.simulated.wire import Json, Wait
from fenix.clouds.simulated.world import World


class HostHealth(BaseModel):
    """Lets a host die or come back."""

    up: bool


class FaultPlan(BaseModel):
    """What goes wrong with an instance's next moves; replaces what was planned."""

    faults: list[Fault]


class ForeignEvent(BaseModel):
    """An event that happened outside the cloud and belongs into the same log."""

    model_config = ConfigDict(extra="allow")

    event: str


def must_have(world: World, name: str) -> None:
    """Answers 404 where there is no such host."""
    if name not in world.hosts:
        raise HTTPException(404, f"host {name} could not be found")


def laboratory_router(world: World) -> APIRouter:
    """The routes for those who experiment; the event log is in the application's state."""
    router = APIRouter()

    @router.get("/events")
    async def events(
        request: Request, after: Annotated[int, Query(ge=0)] = 0, wait: Wait = 0.0
    ) -> Response:
        lines = await _log(request).read(after, wait)
        return Response("".join(f"{line}\n" for line in lines), media_type="application/x-ndjson")

    @router.post("/events")
    async def add_event(request: Request, event: ForeignEvent) -> Json:
        keys: dict[str, Any] = event.model_extra or {}
        _log(request).write(asyncio.get_running_loop().time(), event.event, keys)
        return {}

    @router.put("/faults/{instance:path}")
    async def plan_faults(instance: str, plan: FaultPlan) -> Json:
        world.faults[instance] = list(plan.faults)
        return {}

    @router.put("/hosts/{name:path}/up")
    async def set_up(name: str, health: HostHealth) -> Json:
        must_have(world, name)
        world.set_host_up(name, health.up)
        return {}

    return router


def _log(request: Request) -> EventLog:
    log: EventLog = request.app.state.log
    return log
