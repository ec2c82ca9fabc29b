"""The manager's HTTP interface: one URL for messages, where Doctor's managers have it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from fenix.manager.errors import Refused
from fenix.manager.manager import AppManager
from fenix.manager.notice import payload_of


def create_app(manager: AppManager) -> FastAPI:
    """The application; the manager lives as long as it does."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with manager.running():
            yield

    app = FastAPI(title="Application manager", lifespan=lifespan)

    @app.post("/maintenance")
    async def maintenance(request: Request) -> dict[str, Any]:
        """Takes a message; 400 says what is wrong with it."""
        try:
            payload = payload_of(request.headers, await request.json())
            if payload is not None:
                manager.receive(payload)
        except (ValueError, Refused) as error:
            raise HTTPException(400, str(error)) from error
        return {}

    @app.get("/status")
    async def status() -> dict[str, Any]:
        """What the manager knows and has done."""
        return manager.status()

    return app
