"""A manager, the simulated cloud that its application runs in, and a Fenix that writes down.

All three are real HTTP servers on loopback, each with a thread and an event loop of its own. The
messages are those that the engine composes, in the bodies that the channel sends.
"""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any, Literal, NamedTuple, Protocol

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from fenix.clouds.simulated import SimulatedGroup, SimulatedHost, SimulatedInstance, World
from fenix.domain import Message, ProjectState, Resources, Session, SessionRequest
from fenix.engine.composer import Composer
from fenix.manager.main import build, create_app
from fenix.manager.settings import ManagerSettings
from fenix.messaging.bodies import aodh_body, cloudevents_body

LIMIT = 10.0
"""How long any test waits for anything, s."""

PROJECT = "app"
SIZE = Resources(2, 2048, 20)
NOW = datetime(2026, 1, 2, 3, 4, 5)
CAPABILITIES = {"openstack_version": "2026.1", "vgpu": True}


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serves an application in a thread; requests are answered once it has started."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(LIMIT)
            assert not thread.is_alive(), "the server did not stop"


class Call(NamedTuple):
    """What Fenix was asked."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class Fenix:
    """Stands where Fenix's API is: answers what a manager needs, and writes all of it down.

    Attributes:
        instance_ids: what the URL in a message leads to.
        answers: status codes for the next requests by method; then it is 200 again.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.instance_ids: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.url = ""
        self._news = threading.Condition()
        self.app = FastAPI()
        self.app.api_route("/{path:path}", methods=["GET", "PUT", "POST", "DELETE"])(self._answer)

    async def _answer(self, request: Request) -> Response:
        body = await request.json() if await request.body() else None
        with self._news:
            self.calls.append(
                Call(request.method, request.url.path, body, dict(request.headers.items()))
            )
            self._news.notify_all()
            planned = self.answers.get(request.method)
            status = planned.pop(0) if planned else 200
            found: dict[str, Any] = {}
            if request.method == "GET":
                found = {"instance_ids": self.instance_ids}
            if request.url.path == "/v1/subscription":
                found = {"id": "subscription-1"}
        return JSONResponse(found, status)

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Waits until a condition about the calls holds, and returns its value."""
        with self._news:
            assert self._news.wait_for(condition, LIMIT), f"waited for {what}: {self.calls}"
            return condition()

    def matching(self, method: str, part: str) -> list[Call]:
        """The calls so far whose path contains a text."""
        return [call for call in self.calls if call.method == method and part in call.path]

    def replies(self) -> list[dict[str, Any]]:
        """The bodies of all replies so far."""
        return [call.body for call in self.matching("PUT", "/v1/maintenance/")]

    def reply(self, number: int = 1) -> Call:
        """The first reply, or a later one, as soon as it is there."""
        self.wait(lambda: len(self.replies()) >= number, f"reply {number}")
        return self.matching("PUT", "/v1/maintenance/")[number - 1]


class Cloud:
    """The simulated cloud, seen by a tenant."""

    def __init__(self, world: World, url: str, http: httpx.Client) -> None:
        self.world = world
        self.url = url
        self._http = http

    def instances(self) -> list[dict[str, Any]]:
        """The project's instances."""
        found: list[dict[str, Any]] = self._get("/instances")
        return found

    def names(self) -> list[str]:
        """The names of the project's instances, sorted."""
        return sorted(instance["name"] for instance in self.instances())

    def id_of(self, name: str) -> str:
        """The id of the one instance with a name."""
        (found,) = [instance["id"] for instance in self.instances() if instance["name"] == name]
        return str(found)

    def active(self) -> str:
        """The name of the instance with the floating IP."""
        (found,) = [instance["name"] for instance in self.instances() if instance["floating_ip"]]
        return str(found)

    def happened(self) -> Counter[str]:
        """How often each kind of event has happened."""
        lines = self._http.get("/events").text.splitlines()
        return Counter(line.split('"event": "')[1].split('"')[0] for line in lines)

    def _get(self, path: str) -> Any:
        return self._http.get(f"/projects/{PROJECT}{path}").json()[path.strip("/")]


class Manager:
    """A running manager, as whoever sends to it sees it."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url = url
        self._http = http

    def post(self, message: Message, body_format: Literal["aodh", "cloudevents"] = "aodh") -> None:
        """Sends a message."""
        body = aodh_body(message) if body_format == "aodh" else cloudevents_body(message)
        answer = self._http.post("/maintenance", json=body)
        assert answer.status_code == 200, answer.text

    def post_raw(self, **request: Any) -> httpx.Response:
        """Sends anything."""
        return self._http.post("/maintenance", **request)

    def status(self) -> dict[str, Any]:
        """What it says about itself."""
        found: dict[str, Any] = self._http.get("/status").json()
        return found


class Writer:
    """Composes a session's messages as the engine does."""

    def __init__(self, endpoint: str, session_id: str = "session-1") -> None:
        session = Session(
            id=session_id,
            request=SessionRequest(workflow="vnf", maintenance_at=NOW, metadata=dict(CAPABILITIES)),
            admin_project_id="admin",
            created_at=NOW,
            updated_at=NOW,
        )
        self._composer = Composer(session, endpoint, 0)
        self._keys = count()

    def __call__(self, state: str, *instance_ids: str, single: bool = False) -> Message:
        return self._composer.scheduled(
            f"key-{next(self._keys)}",
            PROJECT,
            ProjectState(state),
            NOW,
            instance_ids=instance_ids,
            reply_by=NOW,
            actions_at=NOW,
            single=single,
        )


class StartManager(Protocol):
    """Starts a manager with settings of its own."""

    def __call__(self, **settings: Any) -> Manager: ...


@contextmanager
def managing(fenix: Fenix, cloud: Cloud, **more: Any) -> Iterator[Manager]:
    """A manager as long as the block lasts."""
    settings = settings_for(fenix, cloud, **more)
    app = create_app(build(settings), settings.secret)
    with serving(app) as url, client(url) as http:
        yield Manager(url, http)


def settings_for(fenix: Fenix, cloud: Cloud, **more: Any) -> ManagerSettings:
    """Settings that suit the servers here."""
    defaults: dict[str, Any] = {
        "fenix_url": f"{fenix.url}/v1",
        "cloud_url": cloud.url,
        "project_id": PROJECT,
        "removable": ("worker-*",),
        "subscribe": False,
        "patience": 5.0,
        "reorder": 0.0,
    }
    return ManagerSettings(**defaults | more)


def client(url: str) -> httpx.Client:
    """An HTTP client for a server here."""
    return httpx.Client(base_url=url, trust_env=False, timeout=LIMIT)


def _instance(
    name: str, host: str, group: str | None = None, floating_ip: bool = False
) -> SimulatedInstance:
    return SimulatedInstance(
        f"id-{name}",
        name,
        PROJECT,
        SIZE,
        host,
        group,
        live_migration_seconds=0.01,
        migration_seconds=0.01,
        floating_ip=floating_ip,
    )


def ids(names: Sequence[str]) -> list[str]:
    """The ids that instances have at the start."""
    return [f"id-{name}" for name in names]


def make_world() -> World:
    """A cloud with an active/standby pair, four workers, and room."""
    return World(
        [SimulatedHost(name, Resources(8, 16384, 200)) for name in "abc"],
        [SimulatedGroup("pair", PROJECT, anti_affinity=True), SimulatedGroup("other", "other")],
        [_instance("ha-0", "a", "pair", True), _instance("ha-1", "b", "pair")]
        + [_instance(f"worker-{n}", host) for n, host in enumerate("abca")],
    )
