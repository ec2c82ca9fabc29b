"""Runs commands: in this process where speed counts, and as processes of their own."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from fenix import service
from fenix.cli.main import main
from fenix.clouds.simulated import SimulatedCloud, World

T = TypeVar("T")

LIMIT = 60.0
"""How long any test waits for anything, s."""


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said to a program."""
        return json.loads(self.out)


class Fenix:
    """Calls `fenix` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int | None = 0) -> Result:
        """Runs a command, which must end with `code`."""
        self._monkeypatch.setattr(sys, "argv", ["fenix", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = self._capsys.readouterr()
        ended = end.value.code if isinstance(end.value.code, int) else 0
        assert code in (None, ended), said
        assert "Traceback" not in said.err
        return Result(ended, said.out, said.err)


class Served:
    """The service in a thread, over a world in this process, that can be stopped and restarted."""

    def __init__(self, directory: Path, world: World) -> None:
        self.world = world
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._config = write_config(directory, self.port)
        self._stop: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None
        self._failure: list[BaseException] = []

    def start(self) -> None:
        """Returns when it is ready."""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        wait_until(lambda: self._failure or is_ready(self.url), "the service to be ready")
        assert not self._failure, self._failure

    def stop(self) -> None:
        """Returns when it has ended."""
        self._stop()
        assert self._thread is not None
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "the service did not stop"

    def _serve(self) -> None:
        async def work() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(stop.set)
            conf = service.read_config([self._config])
            await service.run(service.build(conf, SimulatedCloud(self.world)), stop)

        try:
            asyncio.run(work())
        except BaseException as error:
            self._failure.append(error)


class Process:
    """`fenix` in a process of its own; what it says goes into a file.

    Args:
        log: the file.
    """

    def __init__(self, log: Path, *arguments: str, environment: Mapping[str, str] = {}) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fenix.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | environment,
            )

    @property
    def said(self) -> str:
        """All its output so far."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait(self, limit: float = LIMIT) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(limit)

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def until(self, condition: Callable[[], T], what: str, limit: float = LIMIT) -> T:
        """Waits for a condition that needs this process to live; returns its value."""

        def check() -> T:
            assert self.running, f"it ended while waiting for {what}:\n{self.said}"
            return condition()

        try:
            return wait_until(check, what, limit)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said[-5000:]}") from None

    def close(self) -> None:
        """Ends it, one way or the other."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


class Processes:
    """Starts processes that are ended with the test."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self._count = 0

    def __call__(self, *arguments: str, **environment: str) -> Process:
        """Starts `fenix` with arguments."""
        self._count += 1
        log = self._directory / f"{self._count}-{arguments[0]}.log"
        process = Process(log, *arguments, environment=environment)
        self._stack.callback(process.close)
        return process


def on_terminal(*arguments: str) -> tuple[int, str]:
    """Runs `fenix` on a terminal of 100 columns; its exit code, and all that was shown."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 100))
    process = subprocess.Popen(
        [sys.executable, "-m", "fenix.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as screen, suppress(OSError):  # it is closed by its end
        while data := screen.read(4096):
            shown += data
    return process.wait(LIMIT), shown.decode(errors="replace")


def wait_until(condition: Callable[[], T], what: str, limit: float = LIMIT) -> T:
    """Waits for a condition, and returns its value."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {limit:g} s for {what}"
        threading.Event().wait(0.02)
    return value


def is_ready(url: str) -> bool:
    """Whether a service says that it can work."""
    try:
        return get(f"{url.removesuffix('/v1')}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def get(url: str) -> httpx.Response:
    """A request that no proxy sees."""
    return httpx.get(url, trust_env=False, timeout=LIMIT)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def write_config(directory: Path, port: int, name: str = "fenix", **options: str) -> Path:
    """A configuration file for loopback.

    Args:
        options: further lines, by group.
    """
    state = directory / name
    groups = {
        "DEFAULT": f"state_path = {state}\nchannels = http\nmachine = {name}\ncloud = simulated",
        "api": f"host = 127.0.0.1\nport = {port}\nauth_strategy = none\n"
        f"public_endpoint = http://127.0.0.1:{port}/v1",
        "engine": "loop_interval = 0.1\nlease_seconds = 6\nretry_timeout = 1",
        "http_channel": "allow_networks = 127.0.0.0/8",
    }
    for group, lines in options.items():
        groups[group] = f"{groups[group]}\n{lines}" if group in groups else lines
    path = directory / f"{name}.conf"
    path.write_text("".join(f"[{group}]\n{lines}\n" for group, lines in groups.items()))
    return path


@contextmanager
def process_factory(directory: Path) -> Iterator[Processes]:
    """Starts processes, and ends those that are left."""
    with ExitStack() as stack:
        yield Processes(stack, directory)
