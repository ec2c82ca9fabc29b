"""An engine is killed in the middle of its work, and another one goes on; with real databases."""

import re
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from fenix.cli.demo.cloud import PROJECT
from fenix.cli.demo.work import COMMAND, write_command
from tests.api.test_metrics import samples
from tests.cli.harness import Process, Processes, free_port, get, write_config
from tests.cli.landscape import events, start_cloud, start_manager, wait_for_event
from tests.store.servers import scratch

pytestmark = pytest.mark.services

LOOP = 0.2
LEASE = 6.0
SLACK = 15.0
"""Seconds that a busy machine may need to let a process run, and us to see what it says; how long
it takes on one that is not busy `make chaos` measures."""

HOSTS = 3
WORK_SECONDS = 1.5


def start_engine(start: Processes, config: Path) -> Process:
    """An engine that looks for work."""
    engine = start("engine", "--config-file", str(config), "--metrics-port", "0")
    engine.until(lambda: "runs" in engine.said, "the engine to run")
    return engine


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("mariadb", "instance.move.started"), ("postgresql", "host.maintenance.started")],
)
def test_another_engine_takes_over(
    start: Processes, tmp_path: Path, kind: str, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with scratch(kind) as database:
        _, cloud_url = start_cloud(start, tmp_path, HOSTS)
        commands = write_command(tmp_path, cloud_url, WORK_SECONDS)
        port = free_port()
        url = f"http://127.0.0.1:{port}/v1"
        config = write_config(
            tmp_path,
            port,
            DEFAULT=f"command_dir = {commands}",
            database=f"connection = {database.replace('$', '$$')}",
            simulated_cloud=f"url = {cloud_url}",
            engine=f"lease_seconds = {LEASE}\nloop_interval = {LOOP}",
        )
        assert start("db", "upgrade", "--config-file", str(config)).wait() == 0
        api = start("api", "--config-file", str(config))
        first = start_engine(start, config)
        api.until(lambda: "listens" in api.said, "the API to listen")
        start_manager(start, url, cloud_url)
        session = start(
            "session", "create", "--workflow", "vnf", "--watch", "--at", "+3s",
            "--action", f'command:host:{{"command": "{COMMAND}"}}', FENIX_URL=url,
        )  # fmt: skip
        session.until(lambda: "project.replied" in session.said, "the first engine to begin")
        second = start_engine(start, config)

        event = wait_for_event(cloud_url, moment)
        first.signal(signal.SIGKILL)
        killed = time.monotonic()
        assert first.wait() == -signal.SIGKILL
        second.until(lambda: "taken over from engine" in second.said, "the take-over")
        took = time.monotonic() - killed
        with capsys.disabled():
            whose = event.get("instance") or event.get("host")
            print(f"\n{kind}: killed at {moment} of {whose}, taken over in {took:.2f} s")  # noqa: T201
        assert took <= LEASE + LOOP + SLACK
        assert session.wait() == 0, session.said + second.said
        check_truth(cloud_url)
        told = re.search(r"metrics are on (http://\S+)", second.said)
        assert told
        counted = samples(get(f"{told[1]}/metrics").text)
        assert counted["fenix_deliveries_total", "http,ok"] >= 1
        assert ("fenix_engine_sessions", "") in counted
        for process in (second, api):
            process.signal(signal.SIGTERM)
            assert process.wait() == 0, process.said


def check_truth(cloud_url: str) -> None:
    """Nothing was done twice, and everything was done."""
    lines = events(cloud_url)
    counts = Counter((line["event"], line.get("instance") or line.get("host")) for line in lines)
    hosts = [f"host-{number:02d}" for number in range(1, HOSTS + 1)]
    for host in hosts:
        for what in ("disabled", "maintenance.started", "maintenance.finished", "enabled"):
            assert counts[f"host.{what}", host] == 1, (what, host, lines)
    moved = {line["instance"] for line in lines if line["event"] == "instance.move.started"}
    assert len(moved) >= 2 * (HOSTS - 1)
    for instance in moved:
        assert counts["instance.move.started", instance] == 1, (instance, lines)
        assert counts["instance.move.finished", instance] == 1, (instance, lines)
    inventory = get(f"{cloud_url}/inventory").json()
    assert all(inventory["hosts"][host]["enabled"] for host in hosts)
    instances = get(f"{cloud_url}/projects/{PROJECT}/instances").json()["instances"]
    assert len({one["name"] for one in instances}) == len(instances) == 2 * HOSTS
