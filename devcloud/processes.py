"""Start services and stop exactly those, by pid.

Each service is the leader of a session of its own and all that it starts stays in that session, so
the session's number stands for the whole service. A file per service remembers that number, the
leader's start time and the machine's boot: a number that has been given to somebody else since is
recognised, and never signalled.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from devcloud import environment, procfs
from devcloud.console import DevcloudError, say
from devcloud.waiting import listens, wait_until


@dataclass(frozen=True)
class _Record:
    pid: int
    started: int
    boot: str


class Processes:
    """The services of one devcloud."""

    def __init__(self, pid_folder: Path, log_folder: Path, work_folder: Path) -> None:
        self._pids = pid_folder
        self._logs = log_folder
        self._work = work_folder
        # Kept so that children of this very process are waited for when they end.
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def names(self) -> list[str]:
        """All services that were started and not stopped, alive or not."""
        return sorted(entry.name for entry in self._pids.iterdir()) if self._pids.exists() else []

    def output_of(self, name: str) -> Path:
        """Where a service's standard output and error go."""
        return self._logs / f"{name}.out"

    def spawn(
        self, name: str, command: Sequence[object], extra: Mapping[str, str] | None = None
    ) -> None:
        """Start a service in a session of its own; `extra` is added to its environment."""
        with self.output_of(name).open("ab") as output:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment.clean(extra),
                start_new_session=True,
                cwd=self._work,
            )
        self._children[name] = child
        self.adopt(name, child.pid)

    def adopt(self, name: str, pid: int) -> None:
        """Remember a process that leads its session already, whoever started it.

        Raises:
            DevcloudError: there is no such process any more.
        """
        process = procfs.read(pid)
        if process is None:
            raise DevcloudError(f"{name} ended at once:\n{self.last_words(name)}")
        record = _Record(pid=pid, started=process.started, boot=procfs.boot_id())
        (self._pids / name).write_text(json.dumps(asdict(record)))

    def is_whole(self, name: str) -> bool:
        """True if the process that was started as this service still runs."""
        record = self._read(name)
        return record is not None and any(p.pid == record.pid for p in self.members(name))

    def is_alive(self, name: str) -> bool:
        """True if any process of this service runs: its children may outlive the leader."""
        return bool(self.members(name))

    def members(self, name: str) -> list[procfs.Process]:
        """The running processes of a service."""
        record = self._read(name)
        if record is None:
            return []
        if name in self._children:
            self._children[name].poll()
        leader = procfs.read(record.pid)
        if leader and leader.started != record.started:
            return []  # the number is somebody else's now
        return [p for p in procfs.running() if p.session == record.pid]

    def stop(
        self, name: str, signal_number: signal.Signals = signal.SIGTERM, grace: float = 15
    ) -> None:
        """Signal all processes of a service, kill what is left after `grace` seconds, forget it."""
        self._signal(name, signal_number)
        try:
            wait_until(lambda: not self.is_alive(name), f"{name} to end", grace)
        except DevcloudError:
            say(f"{name} does not end within {grace:g} s: killing it")
            self._signal(name, signal.SIGKILL)
            wait_until(lambda: not self.is_alive(name), f"{name} to end after SIGKILL", 10)
        (self._pids / name).unlink(missing_ok=True)
        if child := self._children.pop(name, None):
            child.wait(10)

    def stop_all(
        self, names: Iterable[str], signal_number: signal.Signals, grace: float = 15
    ) -> None:
        """Stop several services at the same time."""
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda name: self.stop(name, signal_number, grace), names))

    def wait_port(self, name: str, port: int, seconds: float = 90) -> None:
        """Wait until a service listens on its port.

        Raises:
            DevcloudError: it has ended, or the limit is reached.
        """

        def ready() -> bool:
            self.check(name)
            return listens(port)

        if ready():
            return
        wait_until(ready, f"{name} to listen on port {port}", seconds)
        say(f"{name} listens")

    def check(self, name: str) -> None:
        """Raise DevcloudError with the end of its output if a service has ended."""
        if not self.is_alive(name):
            raise DevcloudError(f"{name} has ended:\n{self.last_words(name)}")

    def last_words(self, name: str) -> str:
        """The end of a service's output."""
        try:
            return self.output_of(name).read_text(errors="replace")[-3000:]
        except OSError:
            return "(no output)"

    def _read(self, name: str) -> _Record | None:
        try:
            record = _Record(**json.loads((self._pids / name).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return record if record.boot == procfs.boot_id() else None

    def _signal(self, name: str, signal_number: signal.Signals) -> None:
        for process in self.members(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal_number)
