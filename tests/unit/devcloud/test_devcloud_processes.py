"""Services are known by pid, start time and boot; only ours are ever signalled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from devcloud import procfs
from devcloud.console import DevcloudError
from devcloud.processes import Processes
from devcloud.waiting import wait_until

SLEEP = "import time; time.sleep(60)"
SLEEPER = [sys.executable, "-c", SLEEP]
# A leader that ends while a child of its session lives on, as nova's and rabbitmq's do.
ORPHANER = [
    sys.executable,
    "-c",
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}'])",
]
STUBBORN = [
    sys.executable,
    "-c",
    f"import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); {SLEEP}",
]


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    folder = tmp_path / "pid"
    folder.mkdir()
    return folder


@pytest.fixture
def processes(tmp_path: Path, pids: Path) -> Iterator[Processes]:
    found = Processes(pids, tmp_path, tmp_path)
    yield found
    found.stop_all(found.names(), signal.SIGKILL)


def test_a_started_service_is_whole_and_known_to_another_driver(
    processes: Processes, pids: Path, tmp_path: Path
) -> None:
    processes.spawn("sleeper", SLEEPER)
    later = Processes(pids, tmp_path, tmp_path)
    assert later.names() == ["sleeper"]
    assert later.is_whole("sleeper")


def test_stop_ends_it_and_forgets_it(processes: Processes) -> None:
    processes.spawn("sleeper", SLEEPER)
    (member,) = processes.members("sleeper")
    processes.stop("sleeper")
    assert processes.names() == []
    assert procfs.read(member.pid) is None


def test_stop_reaches_children_that_outlived_their_leader(processes: Processes) -> None:
    processes.spawn("orphaner", ORPHANER)
    wait_until(lambda: not processes.is_whole("orphaner"), "the leader to end", 10)
    (child,) = processes.members("orphaner")
    assert processes.is_alive("orphaner")
    processes.stop("orphaner")
    left = procfs.read(child.pid)
    assert left is None or not left.runs


def test_stop_kills_what_ignores_the_signal(
    processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.spawn("stubborn", STUBBORN)
    wait_until(lambda: "ready" in processes.last_words("stubborn"), "its handler", 10)
    processes.stop("stubborn", grace=0.2)
    assert not processes.is_alive("stubborn")
    assert "killing it" in capsys.readouterr().out


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_pid_that_is_somebody_elses_now_is_left_alone(
    processes: Processes, pids: Path, field: str
) -> None:
    with subprocess.Popen(SLEEPER, start_new_session=True) as stranger:
        processes.adopt("old", stranger.pid)
        record = json.loads((pids / "old").read_text())
        record[field] = 1 if field == "started" else "another boot"
        (pids / "old").write_text(json.dumps(record))
        assert not processes.is_alive("old")
        processes.stop("old", signal.SIGKILL)
        assert stranger.poll() is None
        stranger.kill()


def test_a_spoilt_record_counts_as_not_running(processes: Processes, pids: Path) -> None:
    (pids / "spoilt").write_text(str(os.getpid()))
    assert not processes.is_alive("spoilt")


def test_waiting_for_the_port_of_a_service_that_ended_shows_its_output(
    processes: Processes,
) -> None:
    processes.spawn("broken", [sys.executable, "-c", "raise SystemExit('no such table')"])
    with pytest.raises(DevcloudError, match="broken has ended:\nno such table"):
        processes.wait_port("broken", 1, seconds=10)


def test_the_environment_of_a_service_has_nothing_of_the_test_runner(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "somewhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    program = "import os; print(sorted(os.environ))"
    processes.spawn("printer", [sys.executable, "-c", program], {"EXTRA": "1"})
    wait_until(lambda: "]" in processes.last_words("printer"), "its output", 10)
    words = processes.last_words("printer")
    assert "'EXTRA'" in words
    assert "'PATH'" in words
    assert "OS_CLOUD" not in words
    assert "PYTHONPATH" not in words
