"""What is the same around every call: its id, its line in the log, its path, its worst case.

A plain ASGI application, since it has to see what comes before and after the routes.
"""

import logging
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fenix.api.audit import audit
from fenix.api.errors import error_response, internal_error
from fenix.logs import about
from fenix.metrics import API_REQUESTS
from fenix.store import Database

log = logging.getLogger(__name__)
access_log = logging.getLogger("fenix.api.access")

REQUEST_ID = "X-Openstack-Request-Id"
_GLOBAL_ID = re.compile(r"req-[0-9a-fA-F-]{36}")
_SESSION = re.compile(r"/v1/maintenance/([0-9a-f]{8}-[0-9a-f-]{27})(?:/|$)")


def _refusal(scope: Scope) -> ASGIApp | None:
    """The answer to a request that ends in two places: a proxy may see another one behind it
    (RFC 9112, 6.1)."""
    if not {"content-length", "transfer-encoding"} <= set(Headers(scope=scope)):
        return None
    why = "Content-Length and Transfer-Encoding contradict each other."
    return error_response(400, "Bad request", why, {"Connection": "close"})


class Envelope:
    """Wraps the routes.

    Args:
        database: where lines of timelines go.
        now: the time of day.
    """

    def __init__(self, app: ASGIApp, database: Database, now: Callable[[], datetime]) -> None:
        self._app = app
        self._database = database
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req-{uuid.uuid4()}"
        session = _SESSION.match(scope["path"])
        outer = Headers(scope=scope).get(REQUEST_ID, "")
        ids = {
            "request_id": request_id,
            "global_request_id": outer if _GLOBAL_ID.fullmatch(outer) else None,
            "session": session[1] if session else None,
        }
        with about(**ids):
            await self._serve(scope, receive, send, ids)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, ids: Mapping[str, str | None]
    ) -> None:
        method, path = scope["method"], scope["path"]
        request_id = str(ids["request_id"])
        # Servers drop the body of an answer to HEAD by themselves.
        scope = {
            **scope,
            "method": "GET" if method == "HEAD" else method,
            "state": {"session": ids["session"]},
        }
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
            await (_refusal(scope) or self._app)(scope, receive, answer)
        except Exception:
            log.exception("%s: %s %r failed", request_id, method, path)
            if status:  # too late for another answer
                raise
            await internal_error()(scope, receive, answer)
        finally:
            self._log(scope, (method, path), ids, status, began)
            await audit(self._database, scope, request_id, status, self._now())

    def _log(
        self,
        scope: Scope,
        call: tuple[str, str],
        ids: Mapping[str, str | None],
        status: int,
        began: datetime,
    ) -> None:
        method, path = call
        seconds = (self._now() - began).total_seconds()
        endpoint = getattr(scope.get("endpoint"), "__name__", "none")
        API_REQUESTS.labels(endpoint, status).observe(seconds)
        caller = scope["state"].get("caller")
        outer = ids["global_request_id"]
        access_log.info(
            "%s%s %s %s %d %.3f s project=%s session=%s",
            ids["request_id"],
            f" of {outer}" if outer else "",
            method,
            # A path may hold anything; a line break in it must not make a line in the log.
            path.encode("unicode_escape").decode("ascii"),
            status,
            seconds,
            (caller.project_id if caller else None) or "-",
            ids["session"] or "-",
        )
