"""A manager that is killed, in a process of its own, goes on where it was."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from manager_lab import LIMIT, Cloud, Fenix, Manager, Writer, client, managing

from fenix.clouds.simulated import Fault

SCRIPT = """
import sys
from fenix.manager import ManagerSettings
from fenix.manager.main import run
fenix, cloud, port, memory = sys.argv[1:]
run(ManagerSettings(
    fenix_url=fenix, cloud_url=cloud, port=int(port), memory=memory, project_id="app",
    removable=("worker-*",), action="OWN_ACTION",
))
"""


Running = tuple[Manager, subprocess.Popen[bytes]]


@contextmanager
def process(fenix: Fenix, cloud: Cloud, memory: Path) -> Iterator[Running]:
    """A manager in a process, which subscribes when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    subscribed = len(fenix.matching("POST", "/v1/subscription"))
    arguments = [f"{fenix.url}/v1", cloud.url, str(port), str(memory)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments]) as running:
        try:
            fenix.wait(
                lambda: len(fenix.matching("POST", "/v1/subscription")) > subscribed,
                "a subscription",
            )
            with client(url) as http:
                yield Manager(url, http), running
        finally:
            running.kill()
            running.wait(LIMIT)


def test_a_process_unsubscribes_on_sigterm(fenix: Fenix, cloud: Cloud, tmp_path: Path) -> None:
    with process(fenix, cloud, tmp_path / "memory") as (_, running):
        running.send_signal(signal.SIGTERM)
        running.wait(LIMIT)
        assert len(fenix.matching("DELETE", "/v1/subscription/subscription-1")) == 1


def test_a_killed_process_brings_back_what_it_removed(
    fenix: Fenix, cloud: Cloud, write: Writer, tmp_path: Path
) -> None:
    before = cloud.names()
    message = write("SCALE_IN")
    with process(fenix, cloud, tmp_path / "memory") as (manager, running):
        manager.post(message)
        assert fenix.reply().body["state"] == "ACK_SCALE_IN"
        running.send_signal(signal.SIGKILL)
    assert len(cloud.names()) == 4
    with process(fenix, cloud, tmp_path / "memory") as (manager, running):
        # Fenix is not sure that the first one arrived.
        manager.post(message)
        manager.post(write("MAINTENANCE_COMPLETE"))
        fenix.wait(
            lambda: fenix.replies()[-1]["state"] == "ACK_MAINTENANCE_COMPLETE", "the last reply"
        )
    assert cloud.names() == before
    assert cloud.happened()["instance.deleted"] == 2


def test_a_reply_that_was_never_made_is_made_by_the_next_life(
    fenix: Fenix, cloud: Cloud, write: Writer, tmp_path: Path
) -> None:
    memory = str(tmp_path / "memory")
    fenix.answers["PUT"] = [503]
    with managing(fenix, cloud, memory=memory, patience=0.0) as manager:
        manager.post(write("SCALE_IN"))
        fenix.reply()
    with managing(fenix, cloud, memory=memory):
        assert fenix.reply(2).body["state"] == "ACK_SCALE_IN"
    with managing(fenix, cloud, memory=memory) as manager:
        manager.post(write("MAINTENANCE"))
        fenix.reply(3)
    assert [reply["state"] for reply in fenix.replies()][1:] == ["ACK_SCALE_IN", "ACK_MAINTENANCE"]
    assert cloud.happened()["instance.deleted"] == 2


def test_an_own_action_that_was_interrupted_is_finished(
    fenix: Fenix, cloud: Cloud, write: Writer, tmp_path: Path
) -> None:
    """The old instance is gone and the new one is not there: the worst moment to be killed."""
    memory = str(tmp_path / "memory")
    message = write("PLANNED_MAINTENANCE", "id-worker-0", single=True)
    cloud.world.faults["id-worker-0"] = [Fault.STUCK]
    with client(cloud.url) as http:
        move = {"instance_id": "id-worker-0", "action": "MIGRATE"}
        assert http.post("/moves", json=move).status_code == 200
        with managing(fenix, cloud, memory=memory, action="OWN_ACTION") as manager:
            manager.post(message)  # the cloud refuses: the instance is busy
            assert fenix.reply().body["state"] == "NACK_PLANNED_MAINTENANCE"
        assert http.delete("/instances/id-worker-0").status_code == 200
    assert "worker-0" not in cloud.names()
    with managing(fenix, cloud, memory=memory, action="OWN_ACTION") as manager:
        manager.post(write("PLANNED_MAINTENANCE", "id-worker-0", single=True))
        assert fenix.reply(2).body["instance_action"] == "OWN_ACTION"
        new = cloud.id_of("worker-0")
        # Asked once more, it is done already.
        manager.post(write("PLANNED_MAINTENANCE", "id-worker-0", single=True))
        assert fenix.reply(3).body["instance_action"] == "OWN_ACTION"
    assert cloud.id_of("worker-0") == new


def test_the_subscription_of_an_earlier_life_is_kept(
    fenix: Fenix, cloud: Cloud, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    with process(fenix, cloud, memory) as (_, running):
        running.send_signal(signal.SIGKILL)
    with managing(fenix, cloud, memory=str(memory), subscribe=True):
        fenix.wait(lambda: len(fenix.matching("POST", "/v1/subscription")) == 2, "a subscription")
        # To end it first would give up the messages that wait for us.
        assert fenix.matching("DELETE", "") == []


@pytest.mark.parametrize("kept", [True, False])
def test_memory_is_a_choice(
    fenix: Fenix, cloud: Cloud, write: Writer, tmp_path: Path, kept: bool
) -> None:
    memory = str(tmp_path / "memory") if kept else ":memory:"
    with managing(fenix, cloud, memory=memory) as manager:
        manager.post(write("SCALE_IN"))
        fenix.reply()
    with managing(fenix, cloud, memory=memory) as manager:
        assert manager.status()["missing"] == (["worker-3", "worker-2"] if kept else [])
