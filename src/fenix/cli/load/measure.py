"""In which order the load comes, and what is measured of it."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fenix.cli.errors import CommandFailed
from fenix.cli.load.calls import Caller, Times
from fenix.cli.load.managers import Managers
from fenix.cli.load.processes import Processes
from fenix.cli.load.shape import Shape
from fenix.cli.session_request import start_time
from fenix.service import HttpServer, listen

LIMIT = 300.0
"""Seconds that any part but the large session may take."""
LISTS = ("hosts", "instances", "projects", "moves", "actions", "messages", "errors")
ENDS = ("MAINTENANCE_DONE", "MAINTENANCE_FAILED")

Tell = Callable[[str], None]


@dataclass(slots=True)
class Measured:
    """What was measured.

    Attributes:
        database: the kind of it.
        calls: by kind.
        taken_s: from the begin of the burst until the engine had taken all replies.
        state: of the large session in the end.
        percent: how much of it was done.
        session_s: how long it ran.
        rows: of its detail, by list.
        detail_bytes: size of its detail.
        memory: the most that each process has had, MiB.
        problems: what was not as it must be.
    """

    database: str
    shape: Shape
    calls: list[Times] = field(default_factory=list)
    taken_s: float = 0.0
    state: str = ""
    percent: int = 0
    session_s: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)
    detail_bytes: int = 0
    memory: dict[str, float | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def measure(shape: Shape, database: str | None, tell: Tell) -> Measured:
    """Starts everything, puts the load on it, and ends everything.

    Args:
        database: URL of an empty database for this; None: SQLite, API and engine in one process.
        tell: hears what is done.

    Raises:
        CommandFailed: a process ended, or a call was refused.
    """
    with (
        tempfile.TemporaryDirectory(prefix="fenix-load-") as place,
        Processes(Path(place), database) as processes,
    ):
        with listen("127.0.0.1", 0) as free:
            port = int(free.getsockname()[1])
        tell("starting")
        processes.start(shape.scenario(), port)
        try:
            return asyncio.run(_Run(shape, processes, database, tell).all())
        except CommandFailed:
            processes.check()  # it may be why
            raise


class _Run:
    def __init__(
        self, shape: Shape, processes: Processes, database: str | None, tell: Tell
    ) -> None:
        kind = (database or "sqlite").partition(":")[0].partition("+")[0]
        self._shape = shape
        self._processes = processes
        self._tell = tell
        self._managers = Managers(processes.url)
        self.found = Measured(kind, shape)

    async def all(self) -> Measured:
        """Everything, in order."""
        server = HttpServer(self._managers.app, listen("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve())
        try:
            async with Caller(self._processes.url, self._shape.clients) as caller:
                if (await caller.one("GET", "/maintenance"))["sessions"]:
                    raise CommandFailed("the database has sessions; the load needs an empty one")
                await self._prepare(caller, server.url)
                await self._burst(caller)
                await self._large_session(caller)
            self.found.memory = self._processes.peak_memory()
            self._processes.check()
        finally:
            server.stop()
            await serving
        return self.found

    async def _prepare(self, caller: Caller, receiver: str) -> None:
        self._tell(f"{self._shape.constraints} constraints")
        constraints = (
            ("PUT", path, project, body) for path, project, body in self._shape.constraint_calls()
        )
        self.found.calls.append(await caller.many("put constraints", constraints))
        wanted = {"url": f"{receiver}/", "format": "cloudevents"}
        wanted_types = {"event_types": ["maintenance.scheduled"]}
        subscriptions = (
            ("POST", "/subscription", project, wanted | wanted_types)
            for project in self._shape.project_ids()
        )
        self.found.calls.append(await caller.many("subscribe", subscriptions))

    async def _burst(self, caller: Caller) -> None:
        """All projects of several sessions answer at the same moment."""
        shape = self._shape
        self._tell(f"{shape.sessions} sessions")
        idents = [
            str(
                (await caller.one("POST", "/maintenance", None, _session("+1h", hosts)))[
                    "session_id"
                ]
            )
            for hosts in map(shape.host_names, range(shape.sessions))
        ]
        wanted = shape.sessions * shape.projects
        await self._until(lambda: _is(self._managers.count() == wanted), f"{wanted} messages")
        self._tell(f"{wanted} replies")
        began = time.perf_counter()
        self.found.calls.append(await caller.many("reply, in a burst", self._managers.answers()))
        replied: dict[str, list[str]] = {ident: [] for ident in idents}
        last = dict.fromkeys(idents, 0)

        async def taken() -> bool:
            for ident in idents:
                while True:
                    path = f"/maintenance/{ident}/timeline?after={last[ident]}&limit=1000"
                    page = await caller.one("GET", path)
                    for line in page["timeline"]:
                        last[ident] = line["id"]
                        if line["what"] == "project.replied":
                            replied[ident].append(line["project"])
                    if page["next"] is None:
                        break
            return all(len(found) >= shape.projects for found in replied.values())

        await self._until(taken, "the engine to take all replies")
        self.found.taken_s = time.perf_counter() - began
        for ident, projects in replied.items():
            if sorted(projects) != shape.project_ids():
                self.found.problems.append(
                    f"session {ident}: {len(projects)} replies of {len(set(projects))} projects "
                    f"counted instead of one of each of {shape.projects}"
                )
        self._tell("deleting the sessions")
        for ident in idents:
            await caller.one("DELETE", f"/maintenance/{ident}")

        async def gone() -> bool:
            return not (await caller.one("GET", "/maintenance"))["sessions"]

        await self._until(gone, "the sessions to be gone")

    async def _large_session(self, caller: Caller) -> None:
        """One for the whole cloud; its managers answer at once."""
        shape = self._shape
        self._tell(f"a session of {shape.hosts} hosts and {shape.instances} instances")
        answering = asyncio.create_task(self._managers.answer_all(caller, shape.clients))
        made = await caller.one("POST", "/maintenance", None, _session("+5s", ()))
        path = f"/maintenance/{made['session_id']}"
        began = time.perf_counter()
        during = Times("show, while it works")
        shown: dict[str, Any] = {"state": ""}
        while shown["state"] not in ENDS and time.perf_counter() - began < shape.seconds:
            self._processes.check()
            if answering.done():
                await answering
            asked = time.perf_counter()
            shown = await caller.one("GET", path)
            during.seconds.append(time.perf_counter() - asked)
            self._tell(f"the large session: {shown['state']}, {shown['percent_done']} %")
            await asyncio.sleep(0.5)
        found = self.found
        found.session_s = time.perf_counter() - began
        found.state, found.percent = shown["state"], shown["percent_done"]
        if found.state == "MAINTENANCE_FAILED":
            found.problems.append(f"the large session has failed: {shown['reason']}")
        during.wall = sum(during.seconds)
        for what, where in (("list", "/maintenance"), ("show", path)):
            calls = (("GET", where, None, None) for _ in range(shape.looks))
            found.calls.append(await caller.many(what, calls, clients=1))
        found.calls.append(during)
        whole, first, found.detail_bytes = await caller.read(
            f"{path}/detail", max(1, shape.looks // 10), "detail"
        )
        found.calls += [whole, first]
        detail = await caller.one("GET", f"{path}/detail")
        found.rows = {name: len(detail[name]) for name in LISTS}
        answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering

    async def _until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        end = time.monotonic() + LIMIT
        while not await condition():
            self._processes.check()
            if time.monotonic() > end:
                raise CommandFailed(f"waited {LIMIT:g} s for {what}")
            await asyncio.sleep(0.1)


async def _is(condition: bool) -> bool:
    return condition


def _session(at: str, hosts: Sequence[str]) -> dict[str, Any]:
    """A session without actions, whose processes would be most of what is measured."""
    return {
        "state": "MAINTENANCE",
        "workflow": "vnf",
        "maintenance_at": start_time(at),
        "metadata": {},
        "hosts": list(hosts),
        "actions": [],
        "options": {"reply_timeout": 600},
    }
