"""Everything that runs during the demo, and how it is stopped again."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from fenix.actions.leftovers import end_processes
from fenix.cli.client import ApiError, Client, PlainTransport, Unreachable
from fenix.cli.demo.cloud import PROJECT, RECOVERY, cloud, impacted, scale_in
from fenix.cli.demo.monitor import add_monitor, subscription
from fenix.cli.demo.work import write_command
from fenix.cli.errors import CommandFailed
from fenix.clouds.simulated import SimulatedCloud
from fenix.clouds.simulated.server import create_app
from fenix.service import HttpServer, build, listen, read_config, run, set_up_log
from fenix.simulation.building import build_world

LIMIT = 30.0
"""How long anything may take to start or to stop, s."""

WORK_SECONDS = 2.0

_CONFIG = """\
[DEFAULT]
state_path = {place}
command_dir = {commands}
channels = http
log_file = {place}/fenix.log
use_stderr = false
[api]
host = 127.0.0.1
port = {port}
public_endpoint = http://127.0.0.1:{port}/v1
auth_strategy = none
[engine]
loop_interval = 0.2
lease_seconds = 5
retry_timeout = 1
[http_channel]
allow_networks = 127.0.0.0/8
"""


class Stage:
    """The running demo; a context manager.

    Args:
        place: a directory of its own.
        hosts: how many the cloud has.
    """

    def __init__(self, place: Path, hosts: int) -> None:
        self._place = place
        self.scenario = cloud(hosts)
        self.hosts = hosts
        self._cloud_listener = listen("127.0.0.1", 0)
        self.cloud_url = "http://{}:{}".format(*self._cloud_listener.getsockname())
        port = _free_port()
        self.api_url = f"http://127.0.0.1:{port}/v1"
        commands = write_command(place, self.cloud_url, WORK_SECONDS)
        config = _CONFIG.format(place=place, port=port, commands=commands)
        (place / "fenix.conf").write_text(config)
        self.client = Client(PlainTransport(self.api_url))
        self._cloud = httpx.Client(base_url=self.cloud_url, trust_env=False, timeout=LIMIT)
        self._thread = threading.Thread(target=self._serve, name="service")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._manager: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Stage":
        """Starts everything, and returns when the application's manager has subscribed."""
        try:
            self._thread.start()
            self._until(self._ready, "Fenix to be ready")
            self.client.subscribe(subscription(self.cloud_url))
            self._start_manager()
            self._until(self._subscribed, "the manager to subscribe")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops everything."""
        self.close()

    def instances(self) -> list[dict[str, Any]]:
        """The application's instances, as the cloud shows them."""
        answer = self._cloud.get(f"/projects/{PROJECT}/instances").raise_for_status()
        found: list[dict[str, Any]] = answer.json()["instances"]
        return found

    def events(self) -> str:
        """What has happened in the cloud, a JSON object on each line."""
        return self._cloud.get("/events").raise_for_status().text

    def enabled(self) -> dict[str, bool]:
        """Which hosts are enabled, as the cloud shows them."""
        hosts = self._cloud.get("/inventory").raise_for_status().json()["hosts"]
        return {name: bool(host["enabled"]) for name, host in hosts.items()}

    def manager_log(self) -> str:
        """The end of what the manager has said."""
        path = self._place / "manager.log"
        return path.read_text()[-2000:] if path.exists() else ""

    def wait(self) -> None:
        """Waits until the service ends, which it does not by itself."""
        # Not `join`: an interrupt of it makes the thread count as ended.
        self._ended.wait()
        self._check()

    def close(self) -> None:
        """Stops everything, the manager first, so that it can take leave."""
        if self._manager:
            self._manager.terminate()
            try:
                self._manager.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self._manager.kill()
                self._manager.wait()
        if self._thread.is_alive():
            if self._loop:
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(LIMIT)
        runs = self._place / "actions"
        for run_directory in runs.iterdir() if runs.exists() else ():
            end_processes(run_directory.name)
        self._cloud.close()
        self.client.close()

    def _serve(self) -> None:
        """The service and the cloud, in a thread of their own."""
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self._failure = error
        finally:
            self._ended.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        world = build_world(self.scenario)
        app = create_app(world)
        add_monitor(app)
        server = HttpServer(app, self._cloud_listener)
        conf = read_config([self._place / "fenix.conf"])
        set_up_log(conf)
        parts = build(conf, SimulatedCloud(world))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve())
            await run(parts, self._stop)
            server.stop()

    def _start_manager(self) -> None:
        port = _free_port()
        command = [sys.executable, "-m", "fenix.cli", "manager", "--verbose", "--constraints"]
        command += ["--url", self.api_url, "--port", str(port), "--format", "aodh"]
        command += ["--cloud-url", self.cloud_url, "--project-id", PROJECT, "--action", "MIGRATE"]
        command += ["--removable", "app", "--scale-in", str(scale_in(self.hosts))]
        command += ["--lead-time", "20"]
        command += ["--recovery-time", str(RECOVERY)]
        command += ["--max-impacted-members", str(impacted(self.hosts))]
        with (self._place / "manager.log").open("wb") as log:
            # In a session of its own: Ctrl-C is ours, and we stop it when its turn has come.
            self._manager = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _ready(self) -> bool:
        try:
            url = self.api_url.removesuffix("/v1")
            return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _subscribed(self) -> bool:
        if self._manager and self._manager.poll() is not None:
            raise CommandFailed(f"the manager has ended:\n{self.manager_log()}")
        try:
            return bool(self.client.subscriptions(PROJECT))
        except (Unreachable, ApiError):
            return False

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LIMIT
        while not condition():
            self._check()
            if time.monotonic() > end:
                raise CommandFailed(f"waited {LIMIT:g} s for {what}\n{self.manager_log()}")
            time.sleep(0.1)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
