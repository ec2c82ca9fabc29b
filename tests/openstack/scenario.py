"""OPNFV Doctor's scenario, played with a Fenix and a manager in processes of their own.

What is kept of it was all seen from outside: by Nova, by Placement, by listeners, and on the way of
each process to the others.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from devcloud.settings import Settings
from keystoneauth1.adapter import Adapter

from tests.openstack import witness
from tests.openstack.application import LAYOUTS, Tenant, tenant
from tests.openstack.deployment import fenix, free_port, process
from tests.openstack.lab import Json, Lab, utcnow
from tests.openstack.listening import Heard, bus_listener, receiver, telemetry
from tests.openstack.recording import Exchange, Recorder, recording
from tests.openstack.telemetry import alarm, running_telemetry

LIMIT = 20 * 60  # Doctor's own, for the whole session
NOTICE = timedelta(seconds=30)  # Doctor's, from the session's creation to the maintenance
SHORT_NOTICE = timedelta(seconds=8)
METADATA = {"openstack_version": "2026.2"}
ENDS = ("MAINTENANCE_DONE", "MAINTENANCE_FAILED")
SECOND = timedelta(seconds=1)  # Nova keeps times to the second


@dataclass
class Run:
    """All that was seen of one session from outside."""

    way: str
    tenant: Tenant
    lab: Lab
    session_id: str
    group: str
    at: datetime
    view: Json
    before: dict[str, Json]
    after: dict[str, Json]
    notices: list[Heard]
    posts: list[Heard]
    admin_posts: list[Heard]
    at_news: list[Json]
    at_actions: list[Json]
    recorders: Mapping[str, Recorder]

    def told(self, state: str | None = None) -> list[Heard]:
        """The project's messages on the bus, with one state or all."""
        return [
            each
            for each in self.of_type("maintenance.scheduled")
            if state in (None, each.body["payload"]["state"])
        ]

    def of_type(self, event_type: str) -> list[Heard]:
        return [each for each in self.notices if each.body["event_type"] == event_type]

    def moves(self) -> list[Json]:
        """Nova's migration records of all servers of before the session."""
        return [
            record
            for server in self.before.values()
            for record in self.lab.migrations(server["id"])
        ]

    def actions(self, ident: str, *kinds: str) -> list[Json]:
        """Nova's records of what was done to a server, deleted ones included."""
        found = self.lab.compute.get(f"/servers/{ident}/os-instance-actions").json()
        return [each for each in found["instanceActions"] if each["action"] in kinds]

    def engine(self) -> Recorder:
        return self.recorders["serve" if "serve" in self.recorders else "engine"]


def play(
    devcloud: Settings, folder: Path, stack: ExitStack, way: str, layout: str, crash: bool = False
) -> Run:
    """Plays a session from its creation to its end.

    Args:
        stack: ends what was started and takes away what was made.
        way: how messages reach the manager: ``http``; ``bus``, by a listener that does what
            Telemetry does; ``telemetry``, by Ceilometer and Aodh.
        crash: whether the engine is killed once Nova has begun to move an instance.
    """
    admin = witness.administrator(devcloud.auth_url)
    stack.callback(admin.session.close)
    lab = Lab(admin)
    lab.clean()
    stack.callback(lab.clean)
    owner = stack.enter_context(tenant(devcloud.auth_url, admin))
    stack.callback(lab.clean)
    group = owner.deploy(LAYOUTS[layout])
    service = stack.enter_context(fenix(devcloud, folder / "fenix"))
    kinds = ["api", "engine"] if way == "http" else ["serve"]
    recorders = {kind: stack.enter_context(recording()) for kind in [*kinds, "manager"]}
    port = free_port()
    operator = witness.administrator(devcloud.auth_url)
    stack.callback(operator.session.close)
    at_news: list[Json] = []

    def look(body: Json) -> None:
        if body["type"] == "maintenance.host":
            seen = witness.look(operator, body["data"]["host"])
            at_news.append(seen | {"type": body["data"]["state"]})

    project_url, project_ear = stack.enter_context(receiver())
    admin_url, admin_ear = stack.enter_context(receiver(look))
    broker = devcloud.transport_url.replace("rabbit://", "amqp://") + "/"
    callback = f"http://127.0.0.1:{port}/maintenance"
    forward = telemetry(owner.project_id, callback) if way == "bus" else None
    if way == "telemetry":
        stack.enter_context(running_telemetry())
        stack.enter_context(alarm(owner.session(), callback))
    bus = stack.enter_context(bus_listener(broker, forward, beside=way == "telemetry"))
    running = stack.enter_context(service.running(kinds, recorders))
    admin = witness.administrator(devcloud.auth_url)
    stack.callback(admin.session.close)
    as_admin, as_member = (Adapter(who, "maintenance") for who in (admin, owner.session()))
    as_member.post("/subscription", json={"url": project_url, "format": "cloudevents"})
    kinds_of_news = ["maintenance.host", "maintenance.session"]
    as_admin.post(
        "/subscription",
        json={"url": admin_url, "format": "cloudevents", "event_types": kinds_of_news},
    )
    if way == "http":
        stack.callback(_check_farewell, recorders["manager"])
    manager = stack.enter_context(
        process(
            _manager(service.url, port, folder, subscribe=way == "http"),
            folder / "manager.log",
            owner.environment(),
            recorders["manager"],
        )
    )
    subscribed = 1 + (way == "http")
    manager.wait(
        "the manager to listen and to have told its constraints",
        lambda: (
            len(recorders["manager"].find("PUT", "/v1/instance/")) == len(owner.servers())
            and len(as_member.get("/subscription").json()["subscriptions"]) == subscribed
        ),
    )

    before = owner.servers()
    at = utcnow() + (NOTICE if way == "http" and not crash else SHORT_NOTICE)
    witnessing = [
        {"plugin": "command", "type": kind, "metadata": {"command": "witness"}}
        for kind in ("pre", "host", "compute", "post")
    ]
    body = {
        "state": "MAINTENANCE",
        "workflow": "default",
        "maintenance_at": at.isoformat(" ", "seconds"),
        "metadata": METADATA,
        "actions": witnessing,
    }
    session_id = as_admin.post("/maintenance", json=body).json()["session_id"]

    if crash:
        what = "the first move to be asked for"
        recorders["engine"].wait(what, lambda each: "igrate" in each.body, LIMIT)
        running["engine"].kill()
        stack.enter_context(service.running(["engine"], recorders))

    def over(heard: list[Heard]) -> bool:
        return any(
            each.body["event_type"] == "maintenance.session"
            and each.body["payload"]["state"] in ENDS
            for each in heard
        )

    bus.wait("the session's end", over, LIMIT)
    view = as_admin.get(f"/maintenance/{session_id}/detail").json()
    assert view["state"] == "MAINTENANCE_DONE", (view["reason"], view["errors"])
    mine = [each for each in bus.heard if each.body["payload"]["project_id"] == owner.project_id]
    project_ear.wait("all by HTTP too", lambda heard: len(heard) >= len(mine), 30)
    rest = len(bus.heard) - len(mine)
    admin_ear.wait("all by HTTP too", lambda heard: len(heard) >= rest, 30)
    return Run(
        way=way,
        tenant=owner,
        lab=lab,
        session_id=session_id,
        group=group,
        at=at,
        view=view,
        before=before,
        after=owner.servers(),
        notices=bus.heard,
        posts=project_ear.heard,
        admin_posts=admin_ear.heard,
        at_news=at_news,
        at_actions=[json.loads(file.read_text()) for file in service.seen.iterdir()],
        recorders=recorders,
    )


def _check_farewell(manager: Recorder) -> None:
    [exchange] = manager.find("DELETE", "/v1/subscription/")
    assert exchange.status == 200


def _manager(url: str, port: int, folder: Path, subscribe: bool) -> list[str]:
    """The manager's command line: the pair is migrated, the others live migrated."""
    return [
        "manager",
        f"--url={url}",
        f"--port={port}",
        "--cloud=openstack",
        "--auth=keystone",
        "--subscribe" if subscribe else "--no-subscribe",
        "--action=MIGRATE",
        "--action-for=web-*=LIVE_MIGRATE",
        "--removable=web-*",
        "--scale-in=2",
        "--constraints",
        f"--memory={folder / 'manager.sqlite'}",
        "--verbose",
    ]


def agreements(run: Run) -> dict[str, list[tuple[Exchange, str]]]:
    """The manager's agreements to moves by instance, as they were seen on their way to Fenix."""
    found: dict[str, list[tuple[Exchange, str]]] = {}
    for exchange in run.recorders["manager"].find("PUT", f"/{run.session_id}/"):
        body: dict[str, Any] = json.loads(exchange.body)
        assert exchange.status == 200, exchange
        if body["state"] in ("ACK_PREPARE_MAINTENANCE", "ACK_PLANNED_MAINTENANCE"):
            for ident, action in body["instance_actions"].items():
                found.setdefault(ident, []).append((exchange, action))
    return found


def user_of_fenix(run: Run) -> str:
    identity = Adapter(run.lab.session, "identity")
    [user] = identity.get("/users?name=fenix").json()["users"]
    return str(user["id"])


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
