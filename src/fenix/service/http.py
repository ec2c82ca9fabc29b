"""An HTTP server inside of an event loop that also does other work.

uvicorn alone would take the process's signals for itself and end the process when its port is
taken.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fenix.service.errors import CannotStart

GRACE = 3
"""Seconds that calls under way get when the server is stopped."""


HEAD_SECONDS = 30.0
"""How long a connection may stay open without the whole head of a request."""


IDLE_SECONDS = 15
"""How long a connection may rest between two requests; longer than clients keep theirs (httpx: 5
seconds), since a request may otherwise meet the end of its connection."""


class _Protocol(H11Protocol):
    """Hangs up on who does not send a request: uvicorn by itself would wait for ever."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio does it only for sockets that name their protocol. Without it each answer waits
        # for the client's system, which confirms its head 40 ms later.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_expecting()

    def on_response_complete(self) -> None:
        # What follows may have come already, and begins at once.
        self._expect()
        before = self.cycle
        super().on_response_complete()
        if self.cycle is not before:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._stop_expecting()
        self._limit = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_expecting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to whoever runs the server."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        port: 0 lets the system choose one.

    Raises:
        CannotStart: the address is not ours, or the port is taken.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        raise CannotStart(f"can't listen on {host}, port {port}: {error.strerror}") from error


class HttpServer:
    """Serves an ASGI application on a socket.

    Args:
        listener: from `listen`; belongs to the server from now on.
    """

    def __init__(self, app: Any, listener: socket.socket) -> None:
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                # Whatever else is installed: nobody needs WebSockets, or believes headers of a
                # proxy about who calls.
                http=_Protocol,
                ws="none",
                proxy_headers=False,
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE,
            )
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def stop(self) -> None:
        """Has `serve` end; calls under way get `GRACE` seconds."""
        self._server.should_exit = True

    async def serve(self) -> None:
        """Serves until stopped or cancelled."""
        try:
            await self._server.serve(sockets=[self._listener])
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            self._listener.close()
