"""Who asked a simulated cloud to change something, for those who test that nobody does it twice."""

import json

from starlette.types import ASGIApp, Receive, Scope, Send

from fenix.clouds.simulated.wire import CALLER

_READS = ("/moves/watch",)
"""What changes nothing although it is a POST."""
_LABORATORY = ("/events", "/faults", "/projects")


class CallLog:
    """Answers `GET /calls`: a line for each call that changes something, in their order.

    Each has `n`, counted from 1, `call`, and `by`, what the caller says of itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lines: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/calls":
            await self._show(send)
            return
        if scope["type"] == "http":
            self._note(scope)
        await self._app(scope, receive, send)

    def _note(self, scope: Scope) -> None:
        path: str = scope["path"]
        if scope["method"] == "GET" or path in _READS or path.startswith(_LABORATORY):
            return
        name = CALLER.lower().encode()
        by = next((value.decode() for key, value in scope["headers"] if key == name), "")
        line = {"n": len(self._lines) + 1, "call": f"{scope['method']} {path}", "by": by}
        self._lines.append(json.dumps(line))

    async def _show(self, send: Send) -> None:
        body = "".join(f"{line}\n" for line in self._lines).encode()
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
