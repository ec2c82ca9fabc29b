"""What anybody may ask: versions, health, and how the API is described."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from fenix.api.dependencies import ServicesDep
from fenix.api.docs import page
from fenix.api.metrics import Metrics
from fenix.api.services import Services, alive
from fenix.metrics import CONTENT_TYPE
from fenix.store import DatabaseUnavailable, leases, messages, migrate

router = APIRouter(tags=["service"])


@router.get("/")
async def versions(services: ServicesDep) -> dict[str, Any]:
    """Lists the versions of the API, as OpenStack's clients expect it."""
    return {"versions": [_version(services)]}


@router.get("/v1")
async def version(services: ServicesDep) -> dict[str, Any]:
    """Describes version 1 of the API."""
    return {"version": _version(services)}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tells that the process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    responses={503: {"description": "Something that is needed is missing; `checks` says what."}},
)
async def readyz(services: ServicesDep) -> JSONResponse:
    """Tells whether sessions can be worked on.

    That takes the database with its schema, an engine that lives, and channels that take messages.
    """
    checks: dict[str, str] = {}
    for name, check in _CHECKS.items():
        if checks.get("database", "ok") != "ok":
            checks[name] = "not known without the database"
            continue
        try:
            checks[name] = await check(services)
        except DatabaseUnavailable:
            checks[name] = "the database does not answer"
    ready = all(result == "ok" for result in checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Shows numbers of this process and of all that is kept, for Prometheus."""
    page: Metrics = request.app.state.metrics
    return Response(await page.page(services), media_type=CONTENT_TYPE)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Describes the API for people, with nothing loaded from elsewhere."""
    return HTMLResponse(page(request.app.openapi()))


async def _schema(services: Services) -> str:
    database = services.database
    try:
        if database.embedded:
            migrate.check(database)
        else:
            await asyncio.to_thread(migrate.check, database)
    except migrate.SchemaMismatch as error:
        return str(error)
    return "ok"


async def _engine(services: Services) -> str:
    engines = await services.database.read(leases.list_engines)
    if any(alive(engine, services) for engine in engines):
        return "ok"
    return f"no engine has been seen for {services.settings.engine_silence:g} s"


async def _channels(services: Services) -> str:
    """By what the engines have written down, since only they have a connection to RabbitMQ.

    Why a channel fails is left to the log, since anybody may ask here.
    """
    found = await services.database.read(messages.held_up)
    return (
        "; ".join(
            f"channel {name} takes no messages, the oldest has waited for "
            f"{max(0.0, (services.now() - since).total_seconds()):.0f} s; an engine's log says why"
            for name, since in sorted(found.items())
        )
        or "ok"
    )


_CHECKS: dict[str, Callable[[Services], Awaitable[str]]] = {
    "database": _schema,
    "engine": _engine,
    "channels": _channels,
}


def _version(services: Services) -> dict[str, Any]:
    endpoint = services.settings.public_endpoint
    return {
        "id": "v1.0",
        "status": "CURRENT",
        "version": "",
        "min_version": "",
        "links": [{"rel": "self", "href": f"{endpoint}/"}],
    }
