"""Calls of the API, many at one time, and how long each has taken."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from fenix.cli.errors import CommandFailed

TIMEOUT = 120.0
"""Seconds that an answer may take."""
IDLE_SECONDS = 2.0
"""How long a connection may rest and be used again: well before the server closes it."""

Call = tuple[str, str, str | None, Any]
"""Method, path behind the endpoint, project that calls (None: the administrator), and body."""


@dataclass(slots=True)
class Times:
    """What calls of one kind have taken.

    Attributes:
        what: they were.
        seconds: of each.
        wall: from the first to the end of the last, s.
    """

    what: str
    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.seconds) / self.wall if self.wall else 0.0

    def at(self, share: float) -> float:
        """The latency, s, that a share of the calls did not exceed (nearest rank)."""
        return sorted(self.seconds)[max(0, math.ceil(share * len(self.seconds)) - 1)]


class Caller:
    """Calls the API; a context manager.

    Args:
        url: its endpoint.
        clients: calls under way at one time, at most.
    """

    def __init__(self, url: str, clients: int) -> None:
        self._url = url
        self._clients = clients
        limits = httpx.Limits(max_connections=clients, keepalive_expiry=IDLE_SECONDS)
        self._http = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT, limits=limits)

    async def __aenter__(self) -> "Caller":
        """Asks nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes connections."""
        await self._http.aclose()

    async def one(
        self, method: str, path: str, project: str | None = None, body: Any = None
    ) -> dict[str, Any]:
        """One call, which must succeed; its answer.

        Raises:
            CommandFailed: it did not.
        """
        answer = await self._send(method, path, project, body)
        if answer.status_code != 200:
            raise CommandFailed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found

    async def status(self, path: str) -> int:
        """The status of the answer to GET."""
        return (await self._send("GET", path, None, None)).status_code

    async def many(self, what: str, calls: Iterable[Call], clients: int | None = None) -> Times:
        """Many calls, some of them at one time; each must succeed.

        Args:
            clients: calls at one time; None: as many as there may be.
        """
        times = Times(what)
        left = iter(calls)

        async def client() -> None:
            for method, path, project, body in left:
                began = time.perf_counter()
                await self.one(method, path, project, body)
                times.seconds.append(time.perf_counter() - began)

        began = time.perf_counter()
        async with first_error(), asyncio.TaskGroup() as tasks:
            for _ in range(clients or self._clients):
                tasks.create_task(client())
        times.wall = time.perf_counter() - began
        return times

    async def read(self, path: str, count: int, what: str) -> tuple[Times, Times, int]:
        """Gets something large again and again, one call after the other.

        Returns:
            Until all had come, until the first byte had come, and the size of the last answer.
        """
        whole, first, size = Times(what), Times(f"{what}, first byte"), 0
        for _ in range(count):
            began = time.perf_counter()
            async with self._http.stream("GET", self._url + path) as answer:
                if answer.status_code != 200:
                    raise CommandFailed(f"GET {path}: {answer.status_code}")
                size = 0
                async for part in answer.aiter_raw():
                    if not size:
                        first.seconds.append(time.perf_counter() - began)
                    size += len(part)
            whole.seconds.append(time.perf_counter() - began)
        whole.wall, first.wall = sum(whole.seconds), sum(first.seconds)
        return whole, first, size

    async def _send(self, method: str, path: str, project: str | None, body: Any) -> httpx.Response:
        headers = {"X-Project-Id": project} if project else {}
        try:
            return await self._http.request(method, self._url + path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise CommandFailed(f"{method} {path}: {str(error) or type(error).__name__}") from error


@asynccontextmanager
async def first_error() -> AsyncIterator[None]:
    """Of the errors of a task group, which says first what is wrong counts."""
    try:
        yield
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
