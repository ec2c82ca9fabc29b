"""Sessions with managers that do everything wrong: none violates anything, all end in time.

Fenix, the cloud and the managers are processes; what is looked at is what the API tells, what the
cloud tells, and what the managers were answered. ``CHAOS_RUNS`` says how many sessions, 50 by
default.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.harness import (
    LIMIT,
    Processes,
    free_port,
    get,
    is_ready,
    process_factory,
    wait_until,
    write_config,
)

pytestmark = pytest.mark.chaos

RUNS = int(os.environ.get("CHAOS_RUNS", "50"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
REPLY = 2.0
"""Seconds for an answer."""
SLACK = timedelta(seconds=2)
"""Times are told in seconds, and the machine is busy."""
SESSION = 120.0
START = 300.0
PROJECTS = ("alpha", "beta")
POLICIES = ("proceed", "skip_host", "fail")
STATUSES = {
    "answer": {"200", "400", "404"},
    "wrong state": {"200", "404"},
    "no state": {"400"},
    "wrong session": {"404"},
    "wrong project": {"403"},
    "huge body": {"413", "WriteError", "ReadError"},
    "endless body": {"408", "400", "closed", "reset"},
}
"""What each kind of reply may be answered with; 429 besides."""


def scenario() -> dict[str, Any]:
    """Three half full hosts, two projects."""
    like = {"vcpus": 2, "memory_mb": 1024, "disk_gb": 10}
    like |= {"live_migration_seconds": 0.2, "migration_seconds": 0.2}
    return {
        "name": "chaos",
        "hosts": [
            {"name": f"compute-{n}", "vcpus": 8, "memory_mb": 8192, "disk_gb": 80}
            for n in (1, 2, 3)
        ],
        "projects": [{"id": project} for project in PROJECTS],
        "instances": [
            {"id": f"{project}-{n}", "name": f"{project}-{n}", "project": project,
             "host": f"compute-{n}", **like}
            for project in PROJECTS for n in (1, 2, 3)
        ],
        "groups": [],
        "session": {"workflow": "vnf"},
    }  # fmt: skip


class Place:
    """The processes, and how they are asked."""

    def __init__(self, start: Processes, directory: Path, attacker: "Attackers") -> None:
        file = directory / "scenario.json"
        file.write_text(json.dumps(scenario()))
        self._cloud = start("cloud", str(file), "--port", "0")
        self.cloud = self._cloud.until(lambda: self._cloud.said.strip(), "the cloud's URL", START)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/v1"
        config = write_config(
            directory,
            port,
            simulated_cloud=f"url = {self.cloud}",
            http_channel="timeout = 1\nconnect_timeout = 1",
            api="body_timeout = 2",
            engine="delivery_backoff = 0.1\ndelivery_backoff_limit = 1\ndelivery_give_up = 20",
        )
        self.serving = start("serve", "--config-file", str(config))
        self.serving.until(lambda: is_ready(self.url), "the service", START)
        attacker.start(self.url)
        self._http = httpx.Client(trust_env=False, timeout=LIMIT)
        for project in PROJECTS:
            body = {"url": f"{attacker.url}/{project}", "format": "cloudevents"}
            self.call("POST", "/subscription", body, project)

    def call(self, method: str, path: str, body: Any = None, project: str = "") -> Any:
        """One call, which must succeed."""
        headers = {"X-Project-Id": project} if project else {}
        answer = self._http.request(method, self.url + path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def session(self, number: int) -> dict[str, Any]:
        """One session from its creation to its end."""
        policy = POLICIES[number % len(POLICIES)]
        body = {
            "state": "MAINTENANCE",
            "workflow": ("vnf", "default")[number // len(POLICIES) % 2],
            "maintenance_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "metadata": {},
            "options": {
                "silent_projects": policy,
                "reply_timeout": REPLY,
                "complete_timeout": REPLY,
                "scale_in_timeout": REPLY,
                "lead_time": REPLY,
                "second_moves": 1.0,
            },
        }
        ident = self.call("POST", "/maintenance", body)["session_id"]
        path = f"/maintenance/{ident}"
        wait_until(
            lambda: self.call("GET", path)["state"] in ("MAINTENANCE_DONE", "MAINTENANCE_FAILED"),
            f"session {number} to end",
            SESSION,
        )
        return dict(self.call("GET", f"{path}/detail"))

    def close(self) -> None:
        """Frees connections."""
        self._http.close()

    def disabled(self) -> list[str]:
        """The hosts that are disabled in the cloud."""
        hosts = get(f"{self.cloud}/inventory").json()["hosts"]
        return [name for name, host in hosts.items() if not host["enabled"]]


class Attackers:
    """The managers' process."""

    url = ""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self, fenix: str) -> None:
        """Starts it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.attacker", fenix, str(SEED)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def done(self) -> Counter[str]:
        """What they tried, and what they were answered."""
        return Counter(get(self.url).json())


@contextmanager
def attackers() -> Iterator[Attackers]:
    made = Attackers()
    try:
        yield made
    finally:
        if made.process:
            made.process.kill()
            made.process.communicate()


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def problems(detail: dict[str, Any]) -> list[str]:
    """What must not be in a session, in words."""
    found = []
    policy = detail["request"]["options"]["silent_projects"]
    questions = [one for one in detail["messages"] if one["reply_by"] and one["replied_at"]]
    for one in questions:
        late = time_of(one["replied_at"]) - time_of(one["reply_by"])
        lag = _taken(one) - time_of(one["created_at"])
        if late > SLACK + max(lag, timedelta()):
            found.append(f"{one['state']} to {one['project_id']} was closed {late} late")
    for move in detail["moves"]:
        asked = [
            one
            for one in questions
            if one["state"] in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")
            and move["instance_id"].startswith(one["project_id"])
            and (
                isinstance(ids := one["payload"]["instance_ids"], str) or move["instance_id"] in ids
            )
            and time_of(one["replied_at"]) <= time_of(move["started_at"]) + SLACK
        ]
        agreed = [one for one in asked if (one["reply"]["state"] or "").startswith("ACK_")]
        if not agreed and not (policy == "proceed" and asked):
            found.append(f"instance {move['instance_id']} moved, and nobody had agreed")
    if detail["state"] == "MAINTENANCE_FAILED":
        reason = detail["reason"]
        if not any(name in reason for name in (*PROJECTS, "compute-")):
            found.append(f"the reason names no cause: {reason}")
    return found


def _taken(message: dict[str, Any]) -> datetime:
    """When a message was taken first; it has its whole time from then on."""
    taken = [one["delivered_at"] for one in message["deliveries"] if one["delivered_at"]]
    return time_of(min(taken, default=message["replied_at"]))


def test_no_session_suffers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends: Counter[str] = Counter()
    longest = 0.0
    with attackers() as managers, process_factory(tmp_path) as start:
        place = Place(start, tmp_path, managers)
        with closing(place):
            for number in range(RUNS):
                began = time.monotonic()
                detail = place.session(number)
                end = f"{detail['request']['workflow']} {detail['state']}"
                ends[end] += 1
                longest = max(longest, time.monotonic() - began)
                print(f"{number + 1}: {end} {detail['reason'] or ''}")  # noqa: T201
                assert problems(detail) == [], (number, detail["session_id"])
                assert place.disabled() == []
        done = managers.done()
        log = place.serving.said
        status = Path(f"/proc/{place.serving.pid}/status").read_text()
    assert "Traceback" not in log, log[-5000:]
    assert "Internal error" not in log
    for what, allowed in STATUSES.items():
        answers = {one.removeprefix(f"{what} ") for one in done if one.startswith(f"{what} ")}
        assert answers <= allowed | {"429"}, (what, answers)
        assert answers or RUNS < 20, f"{what} was never tried"
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{RUNS} sessions, the longest {longest:.0f} s: {dict(ends)}\n"
            f"peak memory of Fenix {int(peak) // 1024} MiB\n"
            + "\n".join(f"{count:6} {what}" for what, count in sorted(done.items()))
        )
