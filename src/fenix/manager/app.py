"""The manager's HTTP interface: one URL for messages, where Doctor's managers have it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from fenix.manager.errors import Refused
from fenix.manager.manager import AppManager
from fenix.manager.notice import payload_of
from fenix.manager.signatures import NotFenix, verify

LOG = logging.getLogger(__name__)

LARGEST = 1024 * 1024
"""Bytes of a message that are read; Fenix's have some thousand."""
SLOWEST = 30.0
"""Seconds that a message may take to come."""


def create_app(manager: AppManager, secret: str = "") -> FastAPI:
    """The application; the manager lives as long as it does.

    Args:
        secret: what messages have to be signed with; empty: they need not be.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with manager.running():
            yield

    app = FastAPI(title="Application manager", lifespan=lifespan)

    @app.post("/maintenance")
    async def maintenance(request: Request) -> dict[str, Any]:
        """Takes a message; 400 says what is wrong with it, 401 that it is not Fenix's."""
        body = await _body(request)
        try:
            if secret:
                verify(secret, request.headers, body)
            payload = payload_of(request.headers, json.loads(body))
            if payload is not None:
                manager.receive(payload)
        except NotFenix as error:
            LOG.warning("a message is refused: %s", error)
            raise HTTPException(401, str(error)) from error
        except (ValueError, Refused) as error:
            raise HTTPException(400, str(error)) from error
        return {}

    @app.get("/status")
    async def status() -> dict[str, Any]:
        """What the manager knows and has done."""
        return manager.status()

    return app


async def _body(request: Request) -> bytes:
    """The body, of which no more than `LARGEST` bytes are kept.

    Raises:
        HTTPException: it is larger (413), or did not come in time (408).
    """
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise HTTPException(413, f"the body is larger than {LARGEST} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {SLOWEST:g} s") from None
    return bytes(body)
