"""The simulated cloud over HTTP: the port, the tenants' routes and the event log, for real."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest
import uvicorn
from oslo_config import cfg

from fenix.clouds import CloudError, CloudUnavailable, MovePhase, MoveTicket
from fenix.clouds.simulated import (
    SimulatedGroup,
    SimulatedHost,
    SimulatedInstance,
    World,
    create,
)
from fenix.clouds.simulated.client import RemoteSimulatedCloud
from fenix.clouds.simulated.server import create_app, serve
from fenix.domain import Host, InstanceStatus, MoveAction, Resources

SIZE = Resources(2, 2048, 20)
LIVE, COLD = MoveAction.LIVE_MIGRATE, MoveAction.MIGRATE
NEW = {"name": "n", "vcpus": 2, "memory_mb": 2048, "disk_gb": 20}


class Server(uvicorn.Server):
    """A server inside a test's event loop, which has no signals to catch."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Setting:
    """A served world, its client and a tenant's HTTP client."""

    world: World
    cloud: RemoteSimulatedCloud
    http: httpx.AsyncClient


def world() -> World:
    return World(
        [SimulatedHost(name, Resources(4, 8192, 100)) for name in ("a", "b/1", "c")],
        [SimulatedGroup("pair", "app", anti_affinity=True), SimulatedGroup("far", "other")],
        [
            SimulatedInstance(
                ident,
                name,
                project,
                SIZE,
                host,
                group,
                live_migration_seconds=0.01,
                migration_seconds=0.01,
                floating_ip=ident == "1",
            )
            for ident, name, project, host, group in (
                ("1", "active", "app", "a", "pair"),
                ("2", "standby", "app", "c", "pair"),
                ("3", "else", "other", "a", None),
            )
        ],
    )


@asynccontextmanager
async def served() -> AsyncIterator[Setting]:
    cloud = world()
    server = Server(uvicorn.Config(create_app(cloud), log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        client = RemoteSimulatedCloud(url)
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                yield Setting(cloud, client, http)
        finally:
            await client.close()
            server.should_exit = True
            await serving


def running(test: Callable[[Setting], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20), served() as setting:
            await test(setting)

    asyncio.run(limited())


def ticket(ident: str, action: MoveAction, *known: str) -> MoveTicket:
    return MoveTicket(ident, action, "a", "b/1", datetime(2026, 1, 2, 3, 4, 5), frozenset(known))


async def events(http: httpx.AsyncClient, **params: float) -> list[dict[str, Any]]:
    answer = await http.get("/events", params=params)
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_inventory_crosses_unchanged() -> None:
    async def test(setting: Setting) -> None:
        found = await setting.cloud.inventory()
        assert found == setting.world.inventory()
        assert isinstance(found.hosts["a"], Host)
        assert found.hosts["a"].free == Resources(0, 4096, 60)
        assert found.instances["1"].size.fits(found.hosts["b/1"].free)
        assert [instance.id for instance in found.on("a")] == ["1", "3"]

    running(test)


def test_the_inventory_of_one_host_crosses_unchanged() -> None:
    async def test(setting: Setting) -> None:
        assert await setting.cloud.inventory_of("a") == setting.world.inventory_of("a")
        assert not (await setting.cloud.inventory_of("b/1")).instances
        assert not (await setting.cloud.inventory_of("unknown")).hosts

    running(test)


def test_hosts_are_disabled_and_enabled_with_a_reason() -> None:
    async def test(setting: Setting) -> None:
        cloud = setting.cloud
        assert await cloud.disable_host("b/1", "us")
        assert await cloud.disable_host("b/1", "us")
        assert not await cloud.disable_host("b/1", "them")
        assert not await cloud.enable_host("b/1", "them")
        assert (await cloud.inventory()).hosts["b/1"].disabled_reason == "us"
        assert await cloud.enable_host("b/1", "us")
        assert (await cloud.inventory()).hosts["b/1"].enabled
        with pytest.raises(CloudError, match="host nowhere could not be found"):
            await cloud.disable_host("nowhere", "us")

    running(test)


def test_a_long_question_is_answered_when_a_move_ends() -> None:
    async def test(setting: Setting) -> None:
        cloud = setting.cloud
        assert [s.phase for s in await cloud.watch_moves([ticket("1", LIVE)], 0)] == [
            MovePhase.NOT_STARTED
        ]
        setting.world.instances["1"].live_migration_seconds = 0.2
        await cloud.start_move("1", LIVE, "b/1")
        assert await cloud.watch_moves([ticket("1", LIVE)], 0) == []
        loop = asyncio.get_running_loop()
        before = loop.time()
        (status,) = await cloud.watch_moves([ticket("1", LIVE)], 15)
        assert loop.time() - before < 10
        assert (status.phase, status.host) == (MovePhase.DONE, "b/1")
        assert status.cloud_id is not None
        (status,) = await cloud.watch_moves([ticket("1", LIVE, status.cloud_id)], 0)
        assert status.phase is MovePhase.NOT_STARTED

    running(test)


def test_a_long_question_ends_when_nothing_happens() -> None:
    async def test(setting: Setting) -> None:
        await setting.http.put("/faults/1", json={"faults": ["stuck"]})
        await setting.cloud.start_move("1", LIVE, None)
        assert await setting.cloud.watch_moves([ticket("1", LIVE)], 0.05) == []

    running(test)


def test_a_cold_migration_is_confirmed() -> None:
    async def test(setting: Setting) -> None:
        cloud = setting.cloud
        await cloud.start_move("1", COLD, "b/1")
        (status,) = await cloud.watch_moves([ticket("1", COLD)], 10)
        assert status.phase is MovePhase.AWAITING_CONFIRM
        assert (await cloud.inventory()).instances["1"].status is InstanceStatus.BUSY
        await cloud.confirm_move("1")
        await cloud.confirm_move("1")
        (status,) = await cloud.watch_moves([ticket("1", COLD)], 0)
        assert (status.phase, status.host) == (MovePhase.DONE, "b/1")

    running(test)


def test_the_clouds_refusal_arrives_in_its_words() -> None:
    async def test(setting: Setting) -> None:
        with pytest.raises(CloudError, match=r"c does not take instance 1: .* group pair"):
            await setting.cloud.start_move("1", LIVE, "c")
        with pytest.raises(CloudError, match="instance x could not be found"):
            await setting.cloud.start_move("x", LIVE, None)
        with pytest.raises(CloudError, match="action"):
            await setting.cloud.start_move("1", MoveAction.OWN_ACTION, None)

    running(test)


def test_faults_and_dying_hosts() -> None:
    async def test(setting: Setting) -> None:
        cloud, http = setting.cloud, setting.http
        await http.put("/faults/1", json={"faults": ["refused", "error"]})
        with pytest.raises(CloudError, match="refused"):
            await cloud.start_move("1", LIVE, "b/1")
        await cloud.start_move("1", LIVE, "b/1")
        (status,) = await cloud.watch_moves([ticket("1", LIVE)], 10)
        assert (status.phase, status.detail) == (
            MovePhase.FAILED,
            "the move failed in the middle",
        )
        assert (await cloud.inventory()).instances["1"].status is InstanceStatus.ERROR
        assert (await http.put("/hosts/c/up", json={"up": False})).status_code == 200
        assert not (await cloud.inventory()).hosts["c"].up
        assert (await http.put("/hosts/x/up", json={"up": False})).status_code == 404
        assert (await http.put("/faults/1", json={"faults": ["odd"]})).status_code == 422

    running(test)


def test_deletion_by_the_operator_is_final_and_repeatable() -> None:
    async def test(setting: Setting) -> None:
        await setting.cloud.delete_instance("1")
        await setting.cloud.delete_instance("1")
        (status,) = await setting.cloud.watch_moves([ticket("1", LIVE)], 0)
        assert status.phase is MovePhase.GONE

    running(test)


def test_a_cloud_that_is_away_is_unavailable() -> None:
    async def test(setting: Setting) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        cloud = RemoteSimulatedCloud(url, timeout=1)
        for call in (
            cloud.inventory(),
            cloud.start_move("1", LIVE, None),
            cloud.watch_moves([], 0),
        ):
            with pytest.raises(CloudUnavailable):
                await call
        await cloud.close()

    running(test)


def test_a_cloud_that_breaks_is_unavailable() -> None:
    async def test(setting: Setting) -> None:
        del setting.world.hosts["a"]  # and now the instance on it cannot be deleted
        with pytest.raises(CloudUnavailable, match="status 500"):
            await setting.cloud.delete_instance("1")

    running(test)


def test_a_tenant_sees_its_own_instances_and_groups() -> None:
    async def test(setting: Setting) -> None:
        found = (await setting.http.get("/projects/app/instances")).json()["instances"]
        assert [
            (i["id"], i["name"], i["host"], i["group_id"], i["floating_ip"]) for i in found
        ] == [
            ("1", "active", "a", "pair", True),
            ("2", "standby", "c", "pair", False),
        ]
        groups = (await setting.http.get("/projects/app/groups")).json()["groups"]
        assert groups == [{"id": "pair", "anti_affinity": True, "max_instances_per_host": 0}]
        for method, path in (
            ("DELETE", "/projects/app/instances/3"),
            ("POST", "/projects/app/instances/3/rebuild"),
        ):
            assert (await setting.http.request(method, path)).status_code == 404
        stolen = {"source": "3", "target": "1"}
        answer = await setting.http.post("/projects/app/floating-ip", json=stolen)
        assert answer.status_code == 404
        assert "3" in setting.world.instances

    running(test)


def test_a_tenant_creates_and_deletes() -> None:
    async def test(setting: Setting) -> None:
        http = setting.http
        created = (await http.post("/projects/app/instances", json=NEW)).json()
        assert (created["name"], created["host"]) == ("n", "b/1")
        assert setting.world.instances[created["id"]].project_id == "app"
        path = f"/projects/app/instances/{created['id']}"
        assert (await http.delete(path)).status_code == 200
        assert (await http.delete(path)).status_code == 404
        third = {**NEW, "group_id": "pair", "vcpus": 3}
        assert (await http.post("/projects/app/instances", json=third)).status_code == 200
        full = await http.post("/projects/app/instances", json=third)
        assert (full.status_code, "no valid host" in full.json()["detail"]) == (409, True)
        foreign = await http.post("/projects/app/instances", json={**NEW, "group_id": "far"})
        assert foreign.status_code == 404
        for wrong in ({}, {**NEW, "vcpus": -1}, {**NEW, "hots": "a"}):
            answer = await http.post("/projects/app/instances", json=wrong)
            assert answer.status_code == 422

    running(test)


def test_the_floating_ip_moves_from_its_holder() -> None:
    async def test(setting: Setting) -> None:
        path = "/projects/app/floating-ip"
        wrong = await setting.http.post(path, json={"source": "2", "target": "1"})
        assert wrong.status_code == 409
        answer = await setting.http.post(path, json={"source": "1", "target": "2"})
        assert answer.status_code == 200
        instances = setting.world.instances
        assert (instances["1"].floating_ip, instances["2"].floating_ip) == (False, True)

    running(test)


def test_a_rebuild_gives_a_new_id_elsewhere() -> None:
    async def test(setting: Setting) -> None:
        # Host a has the most room as soon as instance 1 is gone: it must not be taken again.
        setting.world.delete_instance("3")
        setting.world.hosts["b/1"].enabled = True
        answer = await setting.http.post("/projects/app/instances/1/rebuild")
        new = answer.json()
        assert (new["name"], new["host"], new["group_id"]) == ("active", "b/1", "pair")
        assert new["floating_ip"]
        assert new["id"] != "1"
        assert "1" not in setting.world.instances
        kinds = [event["event"] for event in await events(setting.http)]
        assert kinds[-2:] == ["instance.deleted", "instance.created"]

    running(test)


def test_a_rebuild_that_has_no_place_deletes_nothing() -> None:
    async def test(setting: Setting) -> None:
        await setting.cloud.disable_host("b/1", "us")
        answer = await setting.http.post("/projects/app/instances/1/rebuild")
        assert (answer.status_code, "no valid host" in answer.json()["detail"]) == (409, True)
        assert "1" in setting.world.instances
        await setting.cloud.enable_host("b/1", "us")
        await setting.http.put("/faults/1", json={"faults": ["stuck"]})
        await setting.cloud.start_move("1", LIVE, "b/1")
        answer = await setting.http.post("/projects/app/instances/1/rebuild")
        assert (answer.status_code, answer.json()["detail"]) == (409, "instance 1 is BUSY")

    running(test)


def test_the_event_log_tells_what_happened_and_when() -> None:
    async def test(setting: Setting) -> None:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(events(setting.http, after=0, wait=10))
            await setting.cloud.disable_host("c", "us")
        (line,) = first.result()
        assert (line["n"], line["event"], line["host"]) == (1, "host.disabled", "c")
        assert line["t"] >= 0
        datetime.fromisoformat(line["at"])
        foreign = {"event": "host.maintenance.started", "host": "c", "n": 99}
        assert (await setting.http.post("/events", json=foreign)).status_code == 200
        await setting.cloud.enable_host("c", "us")
        rest = await events(setting.http, after=1)
        assert [(e["n"], e["event"]) for e in rest] == [
            (2, "host.maintenance.started"),
            (3, "host.enabled"),
        ]
        assert rest[0]["t"] <= rest[1]["t"]
        assert await events(setting.http, after=3, wait=0.05) == []

    running(test)


def test_the_configuration_names_the_server() -> None:
    async def test(setting: Setting) -> None:
        conf = cfg.ConfigOpts()
        conf([])
        cloud = create(conf)
        await cloud.close()
        url = str(setting.http.base_url)
        conf.set_override("url", url, group="simulated_cloud")
        cloud = create(conf)
        assert set((await cloud.inventory()).hosts) == {"a", "b/1", "c"}
        await cloud.close()
        with pytest.raises(ValueError, match="scheme"):
            conf.set_override("url", "ftp://127.0.0.1", group="simulated_cloud")

    running(test)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "cloud.example"])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match=f"host: '{host}' is not valid"):
        serve(world(), host)


def test_a_world_needs_neither_http_nor_configuration() -> None:
    script = (
        "import sys, fenix.clouds.simulated\n"
        "found = {'httpx', 'fastapi', 'oslo_config'} & set(sys.modules)\n"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
