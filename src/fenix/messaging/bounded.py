"""Connections to receivers that bring only so much: a head of an answer, and not an endless one.

The client reads past any number of interim answers (1xx), and whoever sends them without end would
keep the event loop busy for as long as a delivery may take. The bound is on bytes, below HTTP.
"""

import ssl
from typing import Any

import httpcore
import httpx

LONGEST = 128 * 1024
"""Bytes that are read of one answer; what is after its head is not looked at."""


class BoundedTransport(httpx.AsyncHTTPTransport):
    """As httpx's own, without its environment, and with an end to each answer.

    Args:
        trust: which authorities vouch for https receivers.
    """

    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(ssl_context=trust, network_backend=_Backend())


class _Backend(httpcore.AnyIOBackend):
    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await super().connect_tcp(*args, **kwargs))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = LONGEST

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore.ReadError(f"its answer has no end of the head within {LONGEST} bytes")
        found = await self._inner.read(min(max_bytes, self._left), timeout)
        self._left -= len(found)
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
