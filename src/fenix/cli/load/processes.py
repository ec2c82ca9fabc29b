"""The processes that are measured: a simulated cloud, and Fenix as it is deployed."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from fenix.cli.errors import CommandFailed

LIMIT = 120.0
"""Seconds that a process may take to start or to stop."""

_CONFIG = """\
[DEFAULT]
state_path = {place}/state
channels = http
cloud = simulated
[database]
connection = {database}
[api]
host = 127.0.0.1
port = {port}
public_endpoint = http://127.0.0.1:{port}/v1
auth_strategy = none
# Each project calls as often as it likes: it is the service that is measured.
requests_per_second = 0
[http_channel]
allow_networks = 127.0.0.0/8
[simulated_cloud]
url = {cloud}
"""


class Processes:
    """Started in order, ended in reverse; a context manager.

    Args:
        place: a directory of its own.
        database: its URL; None: SQLite, and one process for API and engine.
    """

    def __init__(self, place: Path, database: str | None) -> None:
        self._place = place
        self._database = database
        self._stack = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.url = ""

    def __enter__(self) -> "Processes":
        """Starts nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all of them."""
        self._stack.close()

    def start(self, scenario: str, port: int) -> None:
        """Starts all, and returns when the API is ready.

        Args:
            scenario: the cloud, as JSON.
            port: of the API.

        Raises:
            CommandFailed: one of them has ended, or does not get ready.
        """
        file = self._place / "cloud.json"
        file.write_text(scenario, encoding="utf-8")
        self._start("cloud", "cloud", str(file), "--port", "0")
        cloud = self._until("cloud", lambda: self._said("cloud").strip())
        config = self._place / "fenix.conf"
        database = self._database or f"sqlite:///{self._place}/fenix.sqlite"
        config.write_text(
            _CONFIG.format(place=self._place, database=database, port=port, cloud=cloud),
            encoding="utf-8",
        )
        config.chmod(0o600)
        self.url = f"http://127.0.0.1:{port}/v1"
        options = ("--config-file", str(config))
        if self._database:
            self._run("db", "upgrade", *options)
        for name in ("api", "engine") if self._database else ("serve",):
            self._start(name, name, *options)
        self._until("api" if self._database else "serve", self._ready)

    def check(self) -> None:
        """Makes sure that all of them run.

        Raises:
            CommandFailed: one has ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                end = self._said(name)[-2000:]
                raise CommandFailed(f"{name} has ended with {process.returncode}:\n{end}")

    def peak_memory(self) -> dict[str, float | None]:
        """The most memory that each of Fenix's processes has had, MiB; None: it is not known."""
        return {name: _peak(one.pid) for name, one in self._running.items() if name != "cloud"}

    def _start(self, name: str, *arguments: str) -> None:
        with (self._place / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "fenix.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is ours.
                start_new_session=True,
            )
        self._running[name] = process
        self._stack.callback(_end, process)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "fenix.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        if done.returncode:
            raise CommandFailed(f"fenix {' '.join(arguments[:2])}: {done.stderr[-2000:]}")

    def _ready(self) -> bool:
        try:
            url = self.url.removesuffix("/v1")
            return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _said(self, name: str) -> str:
        return (self._place / f"{name}.log").read_text(errors="replace")

    def _until(self, name: str, condition: Callable[[], object]) -> object:
        end = time.monotonic() + LIMIT
        while not (found := condition()):
            self.check()
            if time.monotonic() > end:
                raise CommandFailed(f"waited {LIMIT:g} s for {name}:\n{self._said(name)[-2000:]}")
            time.sleep(0.05)
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _peak(pid: int) -> float | None:
    """Linux counts it for each process; others tell it only of those that have ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else None
