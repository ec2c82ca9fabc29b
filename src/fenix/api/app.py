"""Puts the API together."""

from typing import Any

from fastapi import FastAPI

from fenix.api import errors
from fenix.api.envelope import Envelope
from fenix.api.metrics import Metrics
from fenix.api.openapi import describe
from fenix.api.routes import (
    constraints,
    engines,
    messages,
    plan,
    projects,
    service,
    sessions,
    subscriptions,
)
from fenix.api.services import Services


def create_app(services: Services) -> FastAPI:
    """The API as an ASGI application.

    Args:
        services: what it works with; not closed by it.
    """
    app = FastAPI(
        title="Fenix",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_url="/openapi.json",
    )
    app.state.services = services
    app.state.metrics = Metrics()
    app.add_middleware(Envelope, database=services.database, now=services.now)
    errors.install(app)
    # The order decides: `detail`, `timeline` and `undelivered` are no projects.
    for routes in (
        service,
        sessions,
        messages,
        plan,
        projects,
        constraints,
        subscriptions,
        engines,
    ):
        app.include_router(routes.router)
    described: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not described:
            described.append(describe(app))
        return described[0]

    app.openapi = openapi  # type: ignore[method-assign]
    return app
