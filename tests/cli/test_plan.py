"""`fenix plan` against a real API."""

import re
import subprocess
import sys

import pytest

from fenix.clouds.simulated import World
from tests.cli.harness import Fenix, Served

HOSTS = ("--host", "compute-1", "--host", "compute-4")
MOVED = ("--option", "unmanaged_projects=move")
WORK = ("--action", "noop:host", "--assume", "host_seconds=600")


def test_a_plan_for_people(fenix: Fenix, served: Served, world: World) -> None:
    said = fenix("plan", *HOSTS, *MOVED, *WORK).out
    assert said.startswith("feasible")
    for word in ("at least", "compute-1", "compute-4", "lonely", "LIVE_MIGRATE", "p1"):
        assert word in said
    assert "compute-2" not in said.partition("moves")[0]  # it is not part of the session
    assert world.instances["i-1"].host == "compute-4"
    assert all(host.enabled for host in world.hosts.values())
    assert fenix("session", "list", "--json").json == []


@pytest.mark.usefixtures("plans_in_this_process")
def test_a_plan_of_more_than_a_day_names_the_days(fenix: Fenix, served: Served) -> None:
    said = fenix("plan", *HOSTS, *MOVED, "--action", "noop:host", "--assume", "host_seconds=7e4",
                 "--option", "action_timeout=100000", "--option", "parallel_hosts=1")  # fmt: skip
    days = set(re.findall(r"\d{4}-\d\d-\d\d", said.out.partition("drained from")[2]))
    assert len(days) >= 2


@pytest.mark.usefixtures("plans_in_this_process")
def test_a_plan_for_programs(fenix: Fenix, served: Served) -> None:
    found = fenix("plan", *HOSTS, *MOVED, *WORK, "--workflow", "vnf", "--json").json
    assert found["feasible"] is True
    assert found["assume"]["host_seconds"] == 600
    assert {host["name"] for host in found["hosts"]} == {"compute-1", "compute-4"}
    assert [move["instance_id"] for move in found["moves"]] == ["i-1"]


@pytest.mark.usefixtures("plans_in_this_process")
def test_a_plan_that_is_not_feasible(fenix: Fenix, served: Served) -> None:
    """Nobody can be asked for the only instance, and nobody may move it without asking."""
    said = fenix("plan", *HOSTS, code=1)
    assert said.out.startswith("not feasible")
    assert "p1" in said.out
    found = fenix("plan", *HOSTS, "--json", code=1).json
    assert found["feasible"] is False
    assert "p1" in found["reason"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--workflow", "nonsense"),
        ("--host", "no-such-host"),
        ("--action", "no-such-plugin:host"),
        ("--option", "parallel_hosts=0"),
    ],
)
def test_what_is_refused_as_for_a_session(
    fenix: Fenix, served: Served, arguments: tuple[str, ...]
) -> None:
    refused = fenix("plan", *arguments, code=1)
    assert refused.out == ""
    assert refused.err == fenix("session", "create", *arguments, code=1).err


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [("host_seconds=-1", 1, "assume.host_seconds"), ("colour=red", 1, "colour"), ("x", 2, "'x'")],
)
def test_bad_assumptions(fenix: Fenix, served: Served, word: str, code: int, said: str) -> None:
    assert said in fenix("plan", "--assume", word, code=code).err


def test_both_commands_have_the_same_options() -> None:
    def options(*command: str) -> set[str]:
        told = subprocess.run(
            [sys.executable, "-m", "fenix.cli", *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "200", "NO_COLOR": "1"},
        ).stdout
        return {word for word in told.split() if word.startswith("--")}

    assert options("plan") - options("session", "create") == {"--assume"}
    assert options("session", "create") - options("plan") == {"--watch"}
