"""The API in one process: a simulated cloud, a database in memory, callers known by name."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Connection, func, select

from fenix.api import ApiSettings, Authenticator, Caller, Policy, Rates, Services, create_app
from fenix.api.auth import NoValidToken
from fenix.clouds.simulated import SimulatedCloud, SimulatedHost, World
from fenix.domain import HostType, ProjectRecord, Resources, Session, SessionState
from fenix.messaging import Channel
from fenix.messaging.secrets import SecretBox
from fenix.store import Database, progress, sessions
from fenix.store.tables import metadata

NOW = datetime(2030, 1, 1, 12, 0, 0, 123456)
SOON = "2030-01-01 12:00:30"
CHALLENGE = 'Keystone uri="http://keystone.example/v3"'

CALLERS = {
    "admin": Caller("root", "cloud", frozenset({"admin", "member", "reader"})),
    "system-admin": Caller("root", None, frozenset({"admin"}), system=True),
    "system-reader": Caller("eyes", None, frozenset({"reader"}), system=True),
    "domain-admin": Caller("dom", None, frozenset({"admin"}), domain_id="d1"),
    "p1": Caller("u1", "p1", frozenset({"member"})),
    "p1-reader": Caller("u2", "p1", frozenset({"reader"})),
    "p1-admin": Caller("root", "p1", frozenset({"admin"})),
    "p2": Caller("u3", "p2", frozenset({"_member_"})),
    "p2-reader": Caller("u4", "p2", frozenset({"reader"})),
}


class NamedCallers:
    """Knows callers by name: the token is the name."""

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """See `Authenticator.authenticate`."""
        caller = CALLERS.get(headers.get("x-auth-token", ""))
        if caller is None:
            raise NoValidToken(CHALLENGE)
        return caller

    def close(self) -> None:
        """Holds nothing."""


def make_cloud() -> SimulatedCloud:
    """Three hosts that compute and a controller."""
    size = Resources(8, 16384, 100)
    hosts = [SimulatedHost(f"compute-{number}", size) for number in (1, 2, 3)]
    hosts.append(SimulatedHost("control-1", size, type=HostType.CONTROLLER))
    return SimulatedCloud(World(hosts))


class Api:
    """The application and what is behind it.

    Attributes:
        wakes: how often an engine in this process would have been woken.
    """

    def __init__(
        self,
        authenticator: Authenticator | None = None,
        database: Database | None = None,
        channels: tuple[Channel, ...] = (),
        policy: Policy | None = None,
        rates: Rates | None = None,
        secrets: SecretBox | None = None,
        **settings: Any,
    ) -> None:
        self.database = database or Database("sqlite://")
        if database is None:
            metadata.create_all(self.database.engine)
        self.cloud = make_cloud()
        self.time = NOW
        self.wakes = 0
        self.runner = asyncio.Runner()
        self.app = create_app(
            Services(
                database=self.database,
                cloud=self.cloud,
                channels=channels,
                authenticator=authenticator or NamedCallers(),
                now=lambda: self.time,
                wake=self._wake,
                settings=replace(ApiSettings(), **settings),
                policy=policy or Policy(),
                rates=rates or Rates(0, 0),
                secrets=secrets,
            )
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://fenix.example"
        )

    def call(
        self, method: str, path: str, body: Any = None, *, as_: str | None = "admin", **more: Any
    ) -> httpx.Response:
        """One call; `as_` names the caller."""
        headers = more.pop("headers", {}) | ({"X-Auth-Token": as_} if as_ else {})
        if body is not None:
            more["json"] = body
        return self.runner.run(self.client.request(method, path, headers=headers, **more))

    def session(self, **fields: Any) -> str:
        """Creates a session through the API."""
        answer = self.call("POST", "/v1/maintenance", session_body(**fields))
        assert answer.status_code == 200, answer.text
        ident: str = answer.json()["session_id"]
        return ident

    def write(self, *writes: Any) -> None:
        """Writes as an engine would."""

        def write(connection: Connection) -> None:
            for one in writes:
                one(connection)

        self.runner.run(self.database.write(write))

    def read(self, work: Any) -> Any:
        """Reads what there is."""
        return self.runner.run(self.database.read(work))

    def stored(self, session_id: str) -> Session:
        """The session in the database."""
        found = self.read(lambda c: sessions.get(c, session_id))
        assert isinstance(found, Session)
        return found

    def set_session(self, session_id: str, **fields: Any) -> None:
        """Lets a session be somewhere else."""
        self.write(sessions.save(replace(self.stored(session_id), **fields)))

    def fail(self, session_id: str) -> None:
        """Lets a session have failed."""
        self.set_session(
            session_id,
            state=SessionState.MAINTENANCE_FAILED,
            failed_state=SessionState.PLANNED_MAINTENANCE,
            reason="no host has room for instance i1",
            finished_at=NOW + timedelta(seconds=60),
        )

    def add_project(self, session_id: str, project_id: str = "p1", *instances: str) -> None:
        """Lets a session talk with a project."""
        record = ProjectRecord(project_id, instance_ids=list(instances))
        self.write(progress.save_project(session_id, record))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""

        def count(connection: Connection) -> dict[str, int]:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
            }

        found: dict[str, int] = self.read(count)
        return found

    def everything(self) -> dict[str, list[Any]]:
        """All that the database holds."""

        def read(connection: Connection) -> dict[str, list[Any]]:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in metadata.sorted_tables
            }

        found: dict[str, list[Any]] = self.read(read)
        return found

    def close(self) -> None:
        """Frees everything."""
        self.runner.run(self.client.aclose())
        self.runner.close()
        self.database.close()

    def _wake(self) -> None:
        self.wakes += 1


def session_body(**fields: Any) -> dict[str, Any]:
    """What an administrator sends, as Doctor does."""
    return {
        "state": "MAINTENANCE",
        "maintenance_at": SOON,
        "metadata": {"openstack_version": "Train"},
        "workflow": "default",
        "hosts": [],
    } | fields


def problem(answer: httpx.Response, code: int) -> str:
    """The message of an error, whose body has the form that all errors have."""
    assert answer.status_code == code, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "title", "message"}
    assert error["code"] == code
    assert error["title"]
    message: str = error["message"]
    return message
