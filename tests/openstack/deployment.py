"""Fenix as an operator runs it: processes of its own, an account in Keystone, MariaDB, RabbitMQ."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from devcloud import databases
from devcloud.settings import PASSWORD, Settings
from sqlalchemy import create_engine, text

from tests.openstack import witness
from tests.openstack.recording import Recorder

ROOT = Path(__file__).resolve().parents[2]
START = 60.0
USER = "fenix"

CONFIGURATION = """
[DEFAULT]
state_path = {state}
command_dir = {commands}
cloud = openstack
channels = {channels}
[database]
connection = {database}
[api]
host = 127.0.0.1
port = {port}
public_endpoint = http://127.0.0.1:{port}/v1
auth_strategy = keystone
[keystone_authtoken]
www_authenticate_uri = {auth_url}
{account}
[openstack]
poll_interval = 0.5
{account}
[oslo_messaging_notifications]
transport_url = {transport_url}
[http_channel]
allow_networks = 127.0.0.0/8
"""
ACCOUNT = f"""
auth_type = password
auth_url = {{auth_url}}
username = {USER}
password = {PASSWORD}
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Process:
    """A process of ours and its log."""

    popen: subprocess.Popen[bytes]
    log: Path
    killed: bool = False

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.killed = True
        self.popen.kill()
        self.popen.wait(10)

    def wait(self, what: str, true: Callable[[], bool]) -> None:
        """Waits until it is ready."""
        deadline = time.monotonic() + START
        while not true():
            assert self.popen.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"{what}: {self.log.read_text()[-3000:]}"
            time.sleep(0.1)


@contextmanager
def process(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str], *via: Recorder
) -> Iterator[Process]:
    """Runs `fenix` with arguments; in the end it has to stop when it is told to.

    Args:
        environment: besides ours, without any account of ours.
        via: what its requests pass through.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    for recorder in via:
        own |= recorder.environment()
    with log.open("wb") as out:
        popen = subprocess.Popen(
            [sys.executable, "-m", "fenix.cli", *arguments],
            env=own | dict(environment),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    made = Process(popen, log)
    try:
        yield made
    finally:
        popen.terminate()
        try:
            code = popen.wait(30)
        finally:
            popen.kill()
    assert made.killed or code == 0, f"{arguments[0]} ended with {code}: {log.read_text()[-3000:]}"


@dataclass(frozen=True)
class Fenix:
    """A configured Fenix."""

    settings: Settings
    folder: Path
    port: int
    file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def seen(self) -> Path:
        """Where the action `witness` writes."""
        return self.folder / "seen"

    @contextmanager
    def running(
        self, kinds: Sequence[str], recorders: Mapping[str, Recorder]
    ) -> Iterator[Mapping[str, Process]]:
        """Runs processes: ``serve``, or ``api`` and ``engine``.

        Args:
            recorders: what the requests of each kind pass through.
        """
        with ExitStack() as stack:
            running = {
                kind: stack.enter_context(
                    process(
                        [kind, "--config-file", str(self.file)],
                        self.folder / f"{kind}-{uuid4().hex[:4]}.log",
                        {},
                        recorders[kind],
                    )
                )
                for kind in kinds
            }
            check = "/healthz" if list(kinds) == ["api"] else "/readyz"
            for each in running.values():
                each.wait(f"{kinds} to answer {check}", lambda: self._answers(check))
            yield running

    def _answers(self, path: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def fenix(settings: Settings, folder: Path, channels: str = "bus,http") -> Iterator[Fenix]:
    """Configures Fenix, registers it in Keystone, makes its database; takes all away again."""
    port = free_port()
    name = f"fenix_{uuid4().hex[:8]}"
    for part in ("state", "commands", "seen"):
        (folder / part).mkdir(parents=True)
    witness.install(folder / "commands", settings.auth_url, folder / "seen")
    file = folder / "fenix.conf"
    file.write_text(
        CONFIGURATION.format(
            channels=channels,
            state=folder / "state",
            commands=folder / "commands",
            database=settings.database_url(name),
            port=port,
            auth_url=settings.auth_url,
            transport_url=settings.transport_url,
            account=ACCOUNT.format(auth_url=settings.auth_url),
        )
    )
    databases.create(settings, [name])
    try:
        devcloud_command("register", "maintenance", USER, f"http://127.0.0.1:{port}/v1")
        with process(["db", "upgrade", "--config-file", str(file)], folder / "db.log", {}) as made:
            assert made.popen.wait(START) == 0, made.log.read_text()
        yield Fenix(settings, folder, port, file)
    finally:
        devcloud_command("unregister", "maintenance", USER)
        engine = create_engine(settings.database_url(name))
        with engine.begin() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        engine.dispose()


def devcloud_command(*arguments: str) -> None:
    """Runs a command of devcloud's."""
    subprocess.run(
        [sys.executable, "-m", "devcloud", *arguments], cwd=ROOT, check=True, timeout=300
    )
