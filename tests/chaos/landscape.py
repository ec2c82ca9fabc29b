"""All processes of a chaos: cloud, API, engines, servers, and the sessions that go on meanwhile."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from fenix.cli.demo.work import write_command
from tests.chaos import audit, cells
from tests.chaos.receiver import Receiver, receiving
from tests.cli.harness import LIMIT, Process, Processes, get, is_ready, wait_until, write_config
from tests.servers.base import free_port
from tests.servers.databases import DatabaseServer, running
from tests.servers.rabbitmq import RabbitMq

LOOP, LEASE, RETRY = 0.2, 8.0, 1.8
POLL = 0.03
START = 240.0
"""Seconds that processes may take to start, all at once, on such a machine."""


@dataclass
class EngineProcess:
    """An engine, its account in the database, and its name in leases."""

    account: str
    process: Process
    id: str = ""


@dataclass(frozen=True)
class Held:
    """A lease as it stands."""

    owner: str | None
    epoch: int
    beat: int


class Landscape:
    """What a chaos happens in."""

    def __init__(
        self,
        directory: Path,
        start: Processes,
        database: DatabaseServer,
        receiver: Receiver,
        rabbit: RabbitMq | None,
        number: int,
    ) -> None:
        self.database = database
        self.rabbit = rabbit
        self.receiver = receiver
        self.number = number
        self.created: dict[int, list[str]] = {cell: [] for cell in range(number)}
        self.engines: list[EngineProcess] = []
        self._start, self._directory = start, directory
        self._started = 0
        scenario = directory / "scenario.json"
        scenario.write_text(json.dumps(cells.scenario(number)))
        cloud = start("cloud", str(scenario), "--port", "0")
        self.cloud_url = cloud.until(lambda: cloud.said.partition("\n")[0], "its URL", START)
        assert self.cloud_url.startswith("http"), self.cloud_url
        cloud.until(lambda: get(f"{self.cloud_url}/inventory").is_success, "the cloud to answer")
        self._commands = write_command(directory, self.cloud_url, cells.WORK_SECONDS)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        setup = start("db", "upgrade", "--config-file", str(self._config("db", database.url)))
        assert setup.wait(START) == 0, setup.said
        audit.install(database)
        self.api = start(
            "api", "--config-file", str(self._config("api", audit.account(database, "api")))
        )
        for _ in range(3):
            self.start_engine()
        self.api.until(lambda: is_ready(self.url), "the API to be ready", START)
        for cell in range(number):
            self._register(cell)
        self._ask("POST", "/subscription", self._subscription("admin", everything=True))

    def start_engine(self) -> EngineProcess:
        """Starts an engine more; it need not run yet."""
        self._started += 1
        account = f"{audit.ENGINE}{self._started}"
        config = self._config(account, audit.account(self.database, account))
        process = self._start("engine", "--config-file", str(config), "--metrics-port", "0")
        engine = EngineProcess(account, process)
        self.engines.append(engine)
        return engine

    def await_engine(self, engine: EngineProcess) -> None:
        """Returns when an engine runs, and is known by its name."""
        said = engine.process.until(
            lambda: engine.process.said if " runs" in engine.process.said else "",
            "it to run",
            START,
        )
        engine.id = said.partition(" runs")[0].rpartition("engine ")[2]

    def held(self) -> dict[str, Held]:
        """The leases of all sessions in which there is something to do."""
        query = (
            "SELECT l.session_id, l.owner, l.epoch, l.beat FROM leases l "
            "JOIN sessions s ON s.id = l.session_id WHERE s.open"
        )
        with self.database.connect() as connection:
            return {row[0]: Held(*row[1:]) for row in connection.execute(text(query))}

    def of(self, engine: EngineProcess) -> dict[str, Held]:
        """The leases that an engine has."""
        return {ident: one for ident, one in self.held().items() if one.owner == engine.id}

    def keep_busy(self) -> None:
        """Begins a session in each cell that has none."""
        open_ = set(self.held())
        for cell, made in self.created.items():
            if made and made[-1] in open_:
                continue
            # A session closes after its state, and another one may then have its hosts.
            at = (datetime.now(UTC) + timedelta(seconds=0.3)).strftime("%Y-%m-%d %H:%M:%S")
            answer = self._ask("POST", "/maintenance", cells.request(cell, at))
            made.append(answer["session_id"])

    def pause(self, seconds: float) -> None:
        """Lets the sessions go on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.keep_busy()
            threading.Event().wait(0.2)

    def until(self, condition: Callable[[], bool], what: str, limit: float = LIMIT) -> float:
        """Waits for a condition; seconds that it took."""
        began = time.monotonic()
        try:
            while not condition():
                assert time.monotonic() < began + limit, f"waited {limit:g} s for {what}"
                threading.Event().wait(POLL)
        except AssertionError as error:
            said = "\n".join(one.process.said[-1500:] for one in self.engines)
            raise AssertionError(f"{error}\n{said}") from None
        return time.monotonic() - began

    def finish(self) -> None:
        """Returns when all sessions have come to their end."""
        wait_until(lambda: not self.held(), "all sessions to end", 240)

    def stop(self) -> None:
        """Stops engines and API in order."""
        for engine in self.engines:
            engine.process.signal(signal.SIGTERM)
        for engine in self.engines:
            assert engine.process.wait() == 0, engine.process.said[-3000:]

    def lines(self, path: str) -> list[dict[str, Any]]:
        """What the cloud has noted."""
        text_ = get(f"{self.cloud_url}/{path}").text
        return [json.loads(line) for line in text_.splitlines()]

    def detail(self, session: str) -> Any:
        """A session as an administrator sees it."""
        return get(f"{self.url}/maintenance/{session}/detail").json()

    def _register(self, cell: int) -> None:
        project = cells.project(cell)
        for instance in cells.instances(cell):
            self._ask(
                "PUT",
                f"/instance/{instance}",
                {
                    "project_id": project,
                    "group_id": f"group{cell}",
                    "migration_type": "LIVE_MIGRATE",
                    "lead_time": 600,
                },
            )
        self._ask(
            "PUT",
            f"/instance_group/group{cell}",
            {"project_id": project, "max_impacted_members": 2},
        )
        self._ask("POST", "/subscription", self._subscription(project))

    def _subscription(self, project: str, everything: bool = False) -> dict[str, Any]:
        body = {"url": self.receiver.url, "format": "cloudevents", "project_id": project}
        if everything:
            return body | {"event_types": ["maintenance.host", "maintenance.session"]}
        return body

    def _ask(self, method: str, path: str, body: Any) -> Any:
        answer = httpx.request(
            method, f"{self.url}{path}", json=body, trust_env=False, timeout=LIMIT
        )
        assert answer.is_success, answer.text
        return answer.json()

    def _config(self, name: str, database: str) -> Path:
        bus = {}
        if self.rabbit:
            bus = {
                "oslo_messaging_notifications": f"transport_url = {self.rabbit.transport_url}",
                # Else RabbitMQ forgets the queue when it stops.
                "oslo_messaging_rabbit": "amqp_durable_queues = true",
            }
        channels = "http,bus" if self.rabbit else "http"
        written = write_config(
            self._directory,
            self.port,
            DEFAULT=f"command_dir = {self._commands}\nchannels = {channels}",
            database=f"connection = {database}",
            simulated_cloud=f"url = {self.cloud_url}",
            engine=f"loop_interval = {LOOP}\nlease_seconds = {LEASE}\nretry_timeout = {RETRY}",
            **bus,
        )
        # One machine: each engine can join the actions of the others.
        return written.rename(self._directory / f"{name}.conf")


@contextmanager
def landscape(
    kind: str, directory: Path, number: int = 4, rabbitmq: bool = False
) -> Iterator[Landscape]:
    """Everything started and in work.

    Args:
        kind: of database.
        number: how many cells, and so sessions at a time.
    """
    with ExitStack() as stack:
        database = stack.enter_context(running(kind))
        rabbit = None
        if rabbitmq:
            rabbit = RabbitMq()
            stack.callback(rabbit.close)
            rabbit.start()
        receiver = stack.enter_context(receiving())
        start = Processes(stack, directory)
        made = Landscape(directory, start, database, receiver, rabbit, number)
        for engine in made.engines:
            made.await_engine(engine)
        made.pause(3)
        yield made
