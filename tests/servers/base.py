"""A server in processes of its own, on ports and in a directory of its own."""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

LIMIT = 120.0
"""Seconds that a server may take to start or to stop."""


_PORTS = itertools.count(15000 + os.getpid() * 50 % 10000)
"""Below those that the system gives to clients; each process begins elsewhere, at some distance."""


def needed(*patterns: str) -> str:
    """The path of a file that a server's package brings, the first one that is there.

    Args:
        patterns: relative to /.

    Without it the test is skipped; where CI is set to true, it fails.
    """
    for pattern in patterns:
        for found in sorted(Path("/").glob(pattern)):
            return str(found)
    reason = f"{patterns[0]} is not installed (scripts/services)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port that nobody listens on, and that was not given before."""
    for port in _PORTS:
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Server:
    """A server that can be started again and again, with what it keeps.

    Args:
        user: who runs it where we are root, which such servers refuse.
    """

    name = "server"
    ending = signal.SIGTERM
    """What makes it stop in order, without waiting for its clients."""

    def __init__(self, user: str) -> None:
        self._user = user if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix=f"fenix-{self.name}-"))
        self._own(self.directory)
        self.log = self.directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """What runs in the foreground until it is signalled."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Variables that it needs besides ours."""
        return {}

    def ready(self) -> bool:
        """Whether it answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=os.environ | {"HOME": str(self.directory)} | self.environment(),
                start_new_session=True,
                user=self._user,
                group=self._group,
                extra_groups=[] if self._user else None,
            )
        self._until(self.ready, "answer")

    def stop(self) -> None:
        """Stops it in order; returns when it is gone."""
        self._end(lambda process: process.send_signal(self.ending))

    def kill(self) -> None:
        """Ends it at once, with all its processes."""
        self._end(lambda process: os.killpg(process.pid, signal.SIGKILL))

    def close(self) -> None:
        """Ends it, and removes what it kept."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def prepare(self, *command: str) -> None:
        """Runs a command that ends, as the server's user."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            user=self._user,
            group=self._group,
            extra_groups=[] if self._user else None,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process)
            process.wait(LIMIT)

    @property
    def _group(self) -> int | None:
        return pwd.getpwnam(self._user).pw_gid if self._user else None

    def _own(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user)

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LIMIT
        while not condition():
            assert self._process is not None
            said = self.log.read_text(errors="replace")[-3000:]
            assert self._process.poll() is None, f"{self.name} ended:\n{said}"
            assert time.monotonic() < end, f"waited {LIMIT:g} s for {self.name} to {what}:\n{said}"
            threading.Event().wait(0.05)
