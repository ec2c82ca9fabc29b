"""The files of one run of a plug-in: what an engine, its successor and the supervisor share.

A run outlives the engine that started it, so all that is known of it is in a directory. Its lock
is held by whoever decides on the run: an engine for a moment, then the supervisor until its end.
When the lock is free and there is no result, the supervisor is dead.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from fenix.actions.base import ActionRequest, ActionResult
from fenix.actions.tail import LIMIT, readable
from fenix.domain import ActionType


class RunDirectory:
    """One run's directory; made with `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log"
        self.errors = path / "supervisor.log"

    def create(self) -> None:
        """Makes the directory, if it is not there."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """Takes the run's lock if it is free.

        Yields:
            A file descriptor: it and all its copies hold the lock until they are closed, and it
            is closed in the end. None: another process holds the lock.
        """
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = True
        except BlockingIOError:
            taken = False
        try:
            yield lock if taken else None
        finally:
            os.close(lock)

    def write_request(self, request: ActionRequest, entry_point: str) -> None:
        """Hands over what is to be run: ``module:class`` and what it gets."""
        values = {field.name: getattr(request, field.name) for field in fields(request)}
        values["metadata"] = dict(request.metadata)
        values["session_metadata"] = dict(request.session_metadata)
        self._write("request.json", {"entry_point": entry_point, "request": values})

    def read_request(self) -> tuple[ActionRequest, str]:
        """What `write_request` was given."""
        content = json.loads((self.path / "request.json").read_bytes())
        values = content["request"]
        values["type"] = ActionType(values["type"])
        return ActionRequest(**values), content["entry_point"]

    def write_begun(self, rerun_safe: bool) -> None:
        """Says, just before the plug-in's work, that from now on its outcome is not known."""
        self._write("begun.json", {"rerun_safe": rerun_safe})

    def may_run(self) -> bool:
        """Whether the plug-in's work has not begun, or may be done again."""
        try:
            return bool(json.loads((self.path / "begun.json").read_bytes())["rerun_safe"])
        except FileNotFoundError:
            return True

    def write_result(self, result: ActionResult) -> None:
        """Says how the run has ended; it is over with that."""
        self._write("result.json", asdict(result))

    def read_result(self) -> ActionResult | None:
        """How the run has ended; None: it has not."""
        try:
            return ActionResult(**json.loads((self.path / "result.json").read_bytes()))
        except FileNotFoundError:
            return None

    def read_log(self) -> str:
        """The end of the log as far as it was written; for a run without a result."""
        return _end_of(self.log)

    def read_errors(self) -> str:
        """The end of what the supervisor itself complained about."""
        return _end_of(self.errors)

    def count_start(self) -> int:
        """Counts a start of the supervisor; returns how many there were before."""
        with (self.path / "starts").open("ab") as starts:
            before = starts.tell()
            starts.write(b".")
            return before

    def _write(self, name: str, content: dict[str, Any]) -> None:
        """Writes a file so that it is there as a whole or not at all, power failures included."""
        fresh = self.path / f".{name}.{os.getpid()}"
        with fresh.open("wb") as file:
            file.write(json.dumps(content).encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / name)
        directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _end_of(path: Path) -> str:
    try:
        return readable(path.read_bytes()[-LIMIT:])
    except FileNotFoundError:
        return ""
