"""What is the same around every call: its id, its line in the log, its path, its worst case.

A plain ASGI application, since it has to see what comes before and after the routes.
"""

import logging
import re
import uuid
from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fenix.api.errors import internal_error

log = logging.getLogger(__name__)
access_log = logging.getLogger("fenix.api.access")

REQUEST_ID = "X-Openstack-Request-Id"
_GLOBAL_ID = re.compile(r"req-[0-9a-fA-F-]{36}")
_SESSION = re.compile(r"/v1/maintenance/([0-9a-f]{8}-[0-9a-f-]{27})(?:/|$)")


class Envelope:
    """Wraps the routes.

    Args:
        now: the time of day.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], datetime]) -> None:
        self._app = app
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid.uuid4()}"
        method, path = scope["method"], scope["path"]
        # Servers drop the body of an answer to HEAD by themselves.
        scope = {**scope, "method": "GET" if method == "HEAD" else method, "state": {}}
        if len(path) > 1 and path.endswith("/"):
            # Every path answers with and without it (wire contract, "Conventions").
            scope["path"] = path[:-1]
        began = self._now()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            log.exception("%s: %s %r failed", request_id, method, path)
            if status:  # too late for another answer
                raise
            await internal_error()(scope, receive, answer)
        finally:
            self._log(scope, (method, path), request_id, status, began)

    def _log(
        self, scope: Scope, call: tuple[str, str], request_id: str, status: int, began: datetime
    ) -> None:
        method, path = call
        caller = scope["state"].get("caller")
        session = _SESSION.match(path)
        outer = Headers(scope=scope).get(REQUEST_ID, "")
        access_log.info(
            "%s%s %s %s %d %.3f s project=%s session=%s",
            request_id,
            f" of {outer}" if _GLOBAL_ID.fullmatch(outer) else "",
            method,
            # A path may hold anything; a line break in it must not make a line in the log.
            path.encode("unicode_escape").decode("ascii"),
            status,
            (self._now() - began).total_seconds(),
            (caller.project_id if caller else None) or "-",
            session[1] if session else "-",
        )
