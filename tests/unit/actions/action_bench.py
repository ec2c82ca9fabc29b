"""Runners and requests in a scratch directory, and what tests wait for."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from fenix.actions import ActionRequest, ActionResult
from fenix.actions.process import ProcessRunner
from fenix.domain import ActionType


class Bench:
    """Makes runners and requests whose plug-ins share a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / "state"
        self.notes = path / "notes"
        self.gate = path / "gate"
        self.run_id = uuid4().hex
        self.files = self.state / "actions" / self.run_id
        os.mkfifo(self.gate)
        self.runner = self.new_runner()

    def new_runner(self, **options: Any) -> ProcessRunner:
        """Another engine's runner, on the same machine."""
        return ProcessRunner(self.state, **options)

    def request(
        self, plugin: str, *, run_id: str | None = None, time_limit: float = 60, **metadata: Any
    ) -> ActionRequest:
        paths = {"notes": str(self.notes), "gate": str(self.gate)}
        return ActionRequest(
            self.run_id if run_id is None else run_id,
            "s1",
            plugin,
            ActionType.HOST,
            "h1",
            paths | metadata,
            {"m": 1},
            time_limit,
        )

    def run(self, plugin: str, **fields: Any) -> ActionResult:
        """Runs a plug-in to its end."""
        return asyncio.run(self.runner.run(self.request(plugin, **fields)))

    def noted(self) -> list[int]:
        """The processes that have come as far as to note it."""
        return [int(line) for line in self.notes.read_text().split()] if self.notes.exists() else []

    def processes(self) -> list[int]:
        """The living processes of the run, its supervisor included."""
        marker = f"FENIX_RUN_ID={self.run_id}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    async def quiet(self) -> None:
        """Waits until the run has no processes, as it should as soon as it has a result."""
        await until(lambda: not self.processes(), "the end of all processes", 5)

    def supervisor(self) -> int:
        """The supervisor of the run that is under way: the one that leads no plug-in."""
        (found,) = set(self.processes()) - set(self.noted())
        return found

    async def noting(self, count: int = 1) -> None:
        """Waits until `count` runs have noted that they are under way."""
        await until(lambda: len(self.noted()) >= count, f"{count} notes in {self.notes}")

    def open_gate(self) -> None:
        """Lets a gated plug-in go on."""
        with self.gate.open("w") as gate:
            gate.write("now")


async def until(condition: Callable[[], bool], what: str, limit: float = 20) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
