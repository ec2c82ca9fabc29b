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

from fenix.service.errors import CannotStart

GRACE = 3
"""Seconds that calls under way get when the server is stopped."""


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
                log_config=None,
                log_level="warning",
                access_log=False,
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
