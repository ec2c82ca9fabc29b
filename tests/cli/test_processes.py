"""Everything in processes of its own, as an operator starts it."""

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from fenix import service
from fenix.cli.demo.cloud import PROJECT
from fenix.service import add_key
from tests.api.test_metrics import samples
from tests.cli.harness import LIMIT, Fenix, Processes, free_port, get, is_ready, write_config
from tests.cli.landscape import events, start_cloud, start_manager


def sum_of(counted: dict[tuple[str, str], float], name: str) -> float:
    return sum(value for (one, _), value in counted.items() if one == name)


ACTION = 'simulated:host:{"seconds": 0.3}'
STOPPING = 20.0
"""Seconds in which what is asked to stop must have ended, on a machine that is busy."""


@pytest.mark.services
def test_a_session_over_three_processes_and_a_graceful_stop(
    start: Processes, tmp_path: Path
) -> None:
    _, cloud_url = start_cloud(start, tmp_path)
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    keys, secret = tmp_path / "keys", tmp_path / "secret"
    add_key(keys)
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    config = write_config(
        tmp_path,
        port,
        simulated_cloud=f"url = {cloud_url}",
        subscriptions=f"key_file = {keys}",
    )
    serving = start("serve", "--config-file", str(config))
    serving.until(lambda: is_ready(url), "the service to be ready")
    manager = start_manager(start, url, cloud_url, "--secret-file", str(secret))
    before = get(f"{cloud_url}/projects/{PROJECT}/instances").json()["instances"]

    session = start("session", "create", "--workflow", "vnf", "--action", ACTION, "--watch",
                    FENIX_URL=url)  # fmt: skip
    assert session.wait() == 0, session.said
    assert "MAINTENANCE_DONE" in session.said

    kinds = Counter(event["event"] for event in events(cloud_url))
    assert kinds["instance.move.started"] == kinds["instance.move.finished"] >= 4
    assert kinds["host.disabled"] == kinds["host.enabled"] == 3
    after = get(f"{cloud_url}/projects/{PROJECT}/instances").json()["instances"]
    assert sorted(one["name"] for one in after) == sorted(one["name"] for one in before)

    counted = samples(get(f"http://127.0.0.1:{port}/metrics").text)
    assert sum_of(counted, "fenix_move_seconds_count") == kinds["instance.move.finished"]
    assert sum_of(counted, "fenix_action_seconds_count") == 3
    assert sum_of(counted, "fenix_reply_seconds_count") >= 4
    assert counted["fenix_deliveries_total", "http,ok"] >= 4
    assert counted["fenix_sessions", "MAINTENANCE_DONE"] == 1
    assert time.time() - counted["fenix_engine_leases_renewed_timestamp_seconds", ""] < LIMIT

    manager.signal(signal.SIGTERM)
    assert manager.wait(STOPPING) == 0, manager.said
    assert get(f"{url}/subscription").json()["subscriptions"] == []
    serving.signal(signal.SIGTERM)
    assert serving.wait(STOPPING) == 0, serving.said
    assert "Traceback" not in manager.said + serving.said


@pytest.mark.services
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_middle_gives_the_session_back(
    start: Processes, tmp_path: Path, number: signal.Signals
) -> None:
    """The next start goes on at once: it need not wait until a lease of an hour runs out."""
    _, cloud_url = start_cloud(start, tmp_path)
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    config = write_config(
        tmp_path, port, simulated_cloud=f"url = {cloud_url}", engine="lease_seconds = 600"
    )
    serving = start("serve", "--config-file", str(config))
    serving.until(lambda: is_ready(url), "the service to be ready")
    start_manager(start, url, cloud_url)
    session = start("session", "create", "--workflow", "vnf", "--action", ACTION, "--watch",
                    FENIX_URL=url)  # fmt: skip
    session.until(lambda: "instance.move.started" in session.said, "a move to start")
    serving.signal(number)
    assert serving.wait(STOPPING) == 0, serving.said
    assert "Traceback" not in serving.said
    again = start("serve", "--config-file", str(config))
    again.until(lambda: is_ready(url), "the service to be ready again")
    assert session.wait() == 0, session.said
    moves = [one for one in events(cloud_url) if one["event"] == "instance.move.started"]
    assert max(Counter(one["instance"] for one in moves).values()) == 1


@pytest.mark.services
@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_the_demo(start: Processes, workflow: str) -> None:
    demo = start("demo", "--hosts", "3", "--workflow", workflow)
    assert demo.wait(2 * LIMIT) == 0, demo.said
    assert "all 3 hosts were worked on" in demo.said


@pytest.mark.services
def test_a_demo_to_play_with(start: Processes, fenix: Fenix) -> None:
    demo = start("demo", "--hosts", "3", "--keep")
    demo.until(lambda: "It goes on running" in demo.said, "the demo to be over", 2 * LIMIT)
    (url,) = re.findall(r"FENIX_URL=(\S+)", demo.said)
    (session,) = fenix("session", "list", "--json", "--url", url).json
    assert session["state"] == "MAINTENANCE_DONE"
    demo.signal(signal.SIGINT)
    assert demo.wait(STOPPING) == 0, demo.said


@pytest.mark.services
def test_an_interrupted_demo_leaves_nothing_behind(start: Processes, tmp_path: Path) -> None:
    demo = start("demo", "--hosts", "3", TMPDIR=str(tmp_path))
    demo.until(lambda: "action.started" in demo.said, "the work to begin")
    (place,) = tmp_path.glob("fenix-demo-*")
    demo.signal(signal.SIGINT)
    assert demo.wait(STOPPING) == 130, demo.said
    assert "Traceback" not in demo.said
    assert not place.exists()
    assert not _mentioned(str(place))


def _mentioned(text: str) -> list[str]:
    """The command lines of all processes that contain a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


def test_the_schema(fenix: Fenix, tmp_path: Path) -> None:
    config = str(write_config(tmp_path, free_port()))
    assert "no schema" in fenix("db", "current", "--config-file", config, code=1).out
    fenix("db", "upgrade", "--config-file", config)
    fenix("db", "upgrade", "--config-file", config)
    fenix("db", "current", "--config-file", config)
    assert "0 deleted sessions" in fenix("db", "purge", "--config-file", config).out


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("serve", {"DEFAULT": "cloud = cumulus"}, "[DEFAULT] cloud: 'cumulus'"),
        ("serve", {"DEFAULT": "channels = pigeon"}, "[DEFAULT] channels: 'pigeon'"),
        ("serve", {"api": "host = 0.0.0.0"}, "[api] host"),
        ("serve", {"api": "port = many"}, "many"),
        ("serve", {"engine": "lease_seconds = 0"}, "lease_seconds"),
        ("serve", {"DEFAULT": "state_path = /dev/null/x"}, "/dev/null/x"),
        ("serve", {"database": "connection = nonsense"}, "[database] connection"),
        ("engine", {}, "fenix serve"),
        ("api", {}, "fenix serve"),
        (
            "engine",
            {"database": "connection = postgresql+psycopg://u@127.0.0.1:1/d"},
            "database: ",
        ),
    ],
)
def test_what_keeps_the_service_from_starting(
    fenix: Fenix,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    options: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setattr(service, "set_up_log", lambda conf: None)
    config = write_config(tmp_path, free_port(), **options)
    assert said in fenix(command, "--config-file", str(config), code=1).err


def test_a_port_that_is_taken(
    start: Processes, fenix: Fenix, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, url = start_cloud(start, tmp_path)
    config = write_config(tmp_path, int(url.rpartition(":")[2]))
    monkeypatch.setattr(service, "set_up_log", lambda conf: None)
    second = fenix("serve", "--config-file", str(config), code=1)
    assert "can't listen on 127.0.0.1" in second.err
    assert first.running


@pytest.mark.parametrize(
    ("text", "said"),
    [("hosts: []", "hosts"), ("- 1", "not a scenario"), (None, "No such file")],
)
def test_a_bad_scenario(fenix: Fenix, tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "scenario.yaml"
    if text is not None:
        path.write_text(text)
    assert said in fenix("cloud", str(path), code=1).err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 1, "project_id"),
        (["--project-id", "p", "--action", "TELEPORT"], 1, "TELEPORT"),
        (["--project-id", "p", "--action-for", "db"], 2, "PATTERN=ACTION"),
    ],
)
def test_a_manager_that_can_t_be_started(
    start: Processes, arguments: list[str], code: int, said: str
) -> None:
    process = start("manager", *arguments)
    assert process.wait() == code
    assert said in process.said
    assert "Traceback" not in process.said


def test_it_starts_fast_and_says_its_version() -> None:
    """Client commands load neither the service nor OpenStack's libraries."""
    program = (
        "import sys; sys.argv = ['fenix', '--version']\n"
        "from fenix.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'fastapi', 'openstack', 'uvicorn', 'oslo_config', 'alembic'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fenix ")
