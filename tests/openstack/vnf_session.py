"""A session of workflow `vnf` with two projects on five hosts, seen from outside.

One project has a database cluster in an anti-affinity group and two servers besides, the other one
a pool of which two may be away at a time. Each has a manager that is a process of its own.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from devcloud import hypervisor
from devcloud.settings import Settings
from keystoneauth1.adapter import Adapter

from tests.openstack import witness
from tests.openstack.application import Tenant, tenant
from tests.openstack.deployment import ROOT, Fenix, fenix, free_port, process
from tests.openstack.lab import Json, Lab, utcnow
from tests.openstack.listening import Heard, bus_listener
from tests.openstack.recording import Exchange, Recorder, recording
from tests.openstack.scenario import ENDS, METADATA, SECOND, time_of

HOSTS = tuple(f"compute-{number}" for number in range(1, 6))
VCPUS = 8  # of each host
LIMIT = 10 * 60  # for the whole session, s
NOTICE = timedelta(seconds=20)
RECOVERY = 4  # of each group, s
LIVE_MIGRATION = 2  # s
WORK = 4  # of the action on a host, s

# 24 of 40 vCPUs, and no host is empty.
LAYOUT: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "cluster": {
        "db-1": ("compute-1", "v4"),
        "db-2": ("compute-2", "v4"),
        "db-3": ("compute-3", "v4"),
        "aux-1": ("compute-4", "v2"),
        "aux-2": ("compute-5", "v2"),
    },
    "pool": {
        "web-1": ("compute-1", "v2"),
        "web-2": ("compute-2", "v2"),
        "web-3": ("compute-4", "v2"),
        "web-4": ("compute-5", "v2"),
    },
}
MEMBERS = ("db-1", "db-2", "db-3")  # of the anti-affinity group
# Members are not moved live: Nova's scheduler goes on counting one on the host it has left by a
# live migration, for scheduler_instance_sync_interval (120 s), and keeps other members off there.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "cluster": ("--action=LIVE_MIGRATE", "--action-for=db-*=MIGRATE", "--lead-time=30"),
    "pool": ("--action=LIVE_MIGRATE", "--max-impacted-members=2", "--lead-time=20"),
}

WORK_SCRIPT = """#!{python} -P
import sys, time
sys.path.insert(0, {root!r})
from tests.openstack.witness import main
main({auth_url!r}, {folder!r})
time.sleep({seconds})
main({auth_url!r}, {folder!r})
"""


@dataclass(frozen=True)
class Move:
    """Nova's record of one move; naive UTC, to the second."""

    instance: str
    kind: str
    source: str
    target: str
    begun: datetime
    ended: datetime
    status: str


@dataclass
class Seen:
    """All that was seen of one session from outside."""

    lab: Lab
    session_id: str
    group: str
    tenants: Mapping[str, Tenant]
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    notices: list[Heard]
    work: list[Json]
    recorders: Mapping[str, Recorder]

    def told(self, *states: str) -> list[Heard]:
        """The projects' messages on the bus with one of these states."""
        return [
            each
            for each in self.notices
            if each.body["event_type"] == "maintenance.scheduled"
            and each.body["payload"]["state"] in states
        ]

    def moves(self) -> list[Move]:
        """Nova's migration records of all servers, in the order of their beginnings."""
        found = [
            Move(
                instance=record["instance_uuid"],
                kind=record["migration_type"],
                source=record["source_compute"],
                target=record["dest_compute"],
                begun=time_of(record["created_at"]),
                ended=time_of(record["updated_at"]),
                status=record["status"],
            )
            for ident in self.before
            for record in self.lab.migrations(ident)
        ]
        return sorted(found, key=lambda move: (move.begun, move.instance))

    def actions(self, ident: str) -> list[Json]:
        """Nova's records of the moves that were asked for, in their order."""
        found = self.lab.compute.get(f"/servers/{ident}/os-instance-actions").json()
        moves = [
            each
            for each in found["instanceActions"]
            if each["action"] in ("migrate", "live-migration")
        ]
        return sorted(moves, key=lambda each: str(each["start_time"]))

    def agreements(self) -> dict[str, list[tuple[Exchange, Json]]]:
        """The managers' ACKs for moves by instance, as they were on their way to Fenix."""
        found: dict[str, list[tuple[Exchange, Json]]] = {}
        for name in self.tenants:
            project = self.tenants[name].project_id
            for exchange in self.recorders[name].find("PUT", f"/{self.session_id}/{project}/"):
                body = json.loads(exchange.body)
                assert exchange.status == 200, exchange
                assert body["state"] in ("ACK_PREPARE_MAINTENANCE", "ACK_PLANNED_MAINTENANCE")
                ident = exchange.url.rstrip("/").rsplit("/", 1)[1]
                found.setdefault(ident, []).append((exchange, body))
        return found

    def constraints(self, kind: str) -> dict[str, Json]:
        """What the managers have registered for `instance` or `instance_group`, by id."""
        found: dict[str, Json] = {}
        for name in self.tenants:
            for exchange in self.recorders[name].find("PUT", f"/v1/{kind}/"):
                assert exchange.status == 200, exchange
                found[exchange.url.rstrip("/").rsplit("/", 1)[1]] = json.loads(exchange.body)
        return found

    def work_on(self, host: str) -> tuple[datetime, datetime]:
        """When the action on a host began and ended, as it said itself."""
        times = [datetime.fromisoformat(each["at"]) for each in self.work if each["host"] == host]
        return min(times), max(times)


@contextmanager
def five_hosts(others: int, vcpus: int) -> Iterator[None]:
    """Makes devcloud large, and as small again as the other tests want it.

    Args:
        others: how many hosts those want.
        vcpus: how many each of these has.
    """
    devcloud("ensure", str(len(HOSTS)), "--vcpus", str(VCPUS))
    try:
        yield
    finally:
        devcloud("destroy")  # nothing else takes hosts away
        devcloud("ensure", str(others), "--vcpus", str(vcpus))


def devcloud(*arguments: str) -> None:
    """Runs one of its commands."""
    done = subprocess.run(
        [sys.executable, "-m", "devcloud", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def play(settings: Settings, folder: Path, stack: ExitStack) -> Seen:
    """Plays a session from its creation to its end.

    Args:
        stack: ends what was started and takes away what was made.
    """
    admin = witness.administrator(settings.auth_url)
    stack.callback(admin.session.close)
    lab = Lab(admin)
    lab.clean()
    for host in HOSTS:
        hypervisor.behave(host, live_migration_s=LIVE_MIGRATION)
        stack.callback(hypervisor.reset, host)
    tenants = {name: stack.enter_context(tenant(settings.auth_url, admin)) for name in LAYOUT}
    stack.callback(lab.clean)
    group = _deploy(tenants)
    service = stack.enter_context(fenix(settings, folder / "fenix"))
    _install_work(service, settings.auth_url)
    recorders = {name: stack.enter_context(recording()) for name in ["serve", *tenants]}
    broker = settings.transport_url.replace("rabbit://", "amqp://") + "/"
    bus = stack.enter_context(bus_listener(broker))
    stack.enter_context(service.running(["serve"], recorders))
    for name, owner in tenants.items():
        _manage(stack, service, name, owner, folder, recorders[name])

    before = _servers(tenants)
    body = {
        "state": "MAINTENANCE",
        "workflow": "vnf",
        "maintenance_at": (utcnow() + NOTICE).isoformat(" ", "seconds"),
        "metadata": METADATA,
        "actions": [{"plugin": "command", "type": "host", "metadata": {"command": "work"}}],
    }
    # A token from before Fenix was registered does not have it in its catalog.
    operator = witness.administrator(settings.auth_url)
    stack.callback(operator.session.close)
    as_admin = Adapter(operator, "maintenance")
    session_id = as_admin.post("/maintenance", json=body).json()["session_id"]

    def over(heard: list[Heard]) -> bool:
        return any(
            each.body["event_type"] == "maintenance.session"
            and each.body["payload"]["state"] in ENDS
            for each in heard
        )

    bus.wait("the session's end", over, LIMIT)
    view = as_admin.get(f"/maintenance/{session_id}/detail").json()
    assert view["state"] == "MAINTENANCE_DONE", (view["reason"], view["errors"])
    return Seen(
        lab=lab,
        session_id=session_id,
        group=group,
        tenants=tenants,
        before=before,
        after=_servers(tenants),
        notices=bus.heard,
        work=[json.loads(file.read_text()) for file in service.seen.iterdir()],
        recorders=recorders,
    )


def most_at_once(intervals: list[tuple[datetime, datetime]]) -> int:
    """The largest number of intervals that have a moment in common."""
    return max(
        (sum(begin <= moment < end for begin, end in intervals) for moment, _ in intervals),
        default=0,
    )


def certainly(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """What is left of an interval if each of its ends, known to the second, was cut or rounded."""
    return begin + SECOND, max(begin + SECOND, end - SECOND)


def _servers(tenants: Mapping[str, Tenant]) -> dict[str, Json]:
    """All servers by id."""
    return {
        server["id"]: server for owner in tenants.values() for server in owner.servers().values()
    }


def _deploy(tenants: Mapping[str, Tenant]) -> str:
    """Starts both applications; returns the id of the anti-affinity group."""
    group = tenants["cluster"].operator.group("databases", "anti-affinity")
    for project, servers in LAYOUT.items():
        for name, (host, flavor) in servers.items():
            more: Json = {"hints": {"group": group}} if name in MEMBERS else {}
            tenants[project].operator.boot(name, host, flavor=flavor, **more)
    return group


def _install_work(service: Fenix, auth_url: str) -> None:
    """What is done to a host: it takes a while, and looks around before and after."""
    script = service.folder / "commands" / "work"
    script.write_text(
        WORK_SCRIPT.format(
            python=sys.executable,
            root=str(ROOT),
            auth_url=auth_url,
            folder=str(service.seen),
            seconds=WORK,
        )
    )
    script.chmod(0o755)


def _manage(
    stack: ExitStack, service: Fenix, name: str, owner: Tenant, folder: Path, recorder: Recorder
) -> None:
    """Runs a project's manager, and waits until Fenix knows it and its constraints."""
    command = [
        "manager",
        f"--url={service.url}",
        f"--port={free_port()}",
        "--cloud=openstack",
        "--auth=keystone",
        "--subscribe",
        "--constraints",
        f"--recovery-time={RECOVERY}",
        f"--memory={folder / name}.sqlite",
        "--verbose",
        *OPTIONS[name],
    ]
    log = folder / f"{name}.log"
    manager = stack.enter_context(process(command, log, owner.environment(), recorder))
    session = owner.session()
    stack.callback(session.session.close)
    as_member = Adapter(session, "maintenance")
    manager.wait(
        "the manager to subscribe and to have told its constraints",
        lambda: (
            len(recorder.find("PUT", "/v1/instance/")) == len(LAYOUT[name])
            and len(as_member.get("/subscription").json()["subscriptions"]) == 1
        ),
    )
