"""A simulated cloud in a process of its own, over HTTP.

So it outlives engines that are killed, and application managers can be its tenants. It has no
authentication: it only listens on loopback.
"""

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from fenix.clouds.base import CloudError, MoveTicket
from fenix.clouds.simulated.calls import CallLog
from fenix.clouds.simulated.driver import SimulatedCloud
from fenix.clouds.simulated.eventlog import EventLog
from fenix.clouds.simulated.laboratory import laboratory_router, must_have
from fenix.clouds.simulated.tenants import tenant_router
from fenix.clouds.simulated.wire import DEFAULT_PORT, INVENTORY, STATUSES, Json, Wait
from fenix.clouds.simulated.world import World
from fenix.domain import Inventory, MoveAction


class HostOrder(BaseModel):
    """Disables or enables a host."""

    reason: str


class MoveOrder(BaseModel):
    """Starts a move."""

    instance_id: str
    action: Literal[MoveAction.MIGRATE, MoveAction.LIVE_MIGRATE]
    target: str | None = None


class MoveConfirmation(BaseModel):
    """Confirms a move."""

    instance_id: str


class MoveWatch(BaseModel):
    """Asks how moves stand."""

    tickets: list[MoveTicket]
    wait: Wait = 0.0


def create_app(world: World) -> FastAPI:
    """The HTTP application over a world.

    Errors: 409 for what the cloud refuses, 404 for what does not exist, 422 for a malformed body;
    ``detail`` says why.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.log = EventLog(world)
        yield

    app = FastAPI(title="Simulated cloud", lifespan=lifespan)
    app.add_exception_handler(CloudError, _refused)
    app.add_middleware(CallLog)
    app.include_router(_operator_router(world))
    app.include_router(laboratory_router(world))
    app.include_router(tenant_router(world))
    return app


def serve(world: World, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
    """Serves a world until SIGTERM or SIGINT.

    Raises:
        ValueError: `host` is not a loopback address.
    """
    if not (host == "localhost" or _is_loopback(host)):
        raise ValueError(f"host: {host!r} is not valid; allowed: a loopback address")
    uvicorn.run(
        create_app(world), host=host, port=port, log_level="warning", timeout_graceful_shutdown=1
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _refused(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=409)


def _inventory(found: Inventory) -> Response:
    return Response(INVENTORY.dump_json(found), media_type="application/json")


def _operator_router(world: World) -> APIRouter:
    """The port's methods, one route each."""
    router = APIRouter()
    cloud = SimulatedCloud(world)

    @router.get("/inventory")
    async def inventory() -> Response:
        return _inventory(await cloud.inventory())

    @router.get("/hosts/{name:path}/inventory")
    async def inventory_of(name: str) -> Response:
        return _inventory(await cloud.inventory_of(name))

    @router.post("/hosts/{name:path}/disable")
    async def disable(name: str, order: HostOrder) -> Json:
        must_have(world, name)
        return {"done": await cloud.disable_host(name, order.reason)}

    @router.post("/hosts/{name:path}/enable")
    async def enable(name: str, order: HostOrder) -> Json:
        must_have(world, name)
        return {"done": await cloud.enable_host(name, order.reason)}

    @router.post("/moves")
    async def start(order: MoveOrder) -> Json:
        await cloud.start_move(order.instance_id, order.action, order.target)
        return {}

    @router.post("/moves/confirm")
    async def confirm(order: MoveConfirmation) -> Json:
        await cloud.confirm_move(order.instance_id)
        return {}

    @router.post("/moves/watch")
    async def watch(question: MoveWatch) -> Response:
        found = await cloud.watch_moves(question.tickets, question.wait)
        return Response(STATUSES.dump_json(list(found)), media_type="application/json")

    @router.delete("/instances/{ident:path}")
    async def delete(ident: str) -> Json:
        await cloud.delete_instance(ident)
        return {}

    return router
