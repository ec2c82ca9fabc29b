"""`fenix session` against a real API, with an engine that does the work."""

from typing import Any

import pytest

from fenix.cli.client import Client, PlainTransport
from fenix.cli.watching import follow
from tests.cli.harness import Fenix, Processes, Served, on_terminal, wait_until

EMPTY = ("--host", "compute-1", "--host", "compute-2", "--host", "compute-3")
LONELY = ("--host", "compute-4")


def create(fenix: Fenix, *arguments: str) -> str:
    return fenix("session", "create", *arguments).out.strip()


def state(fenix: Fenix, ident: str) -> str:
    found: dict[str, Any] = fenix("session", "show", ident, "--json").json
    return str(found["state"])


def fail(fenix: Fenix) -> str:
    """A session that fails: nobody may be asked about the only instance."""
    ident = create(fenix, *LONELY)
    wait_until(lambda: state(fenix, ident) == "MAINTENANCE_FAILED", "the session to fail")
    return ident


def test_what_was_asked_for_is_shown(fenix: Fenix, served: Served) -> None:
    made = fenix(
        "session", "create", *EMPTY, "--json", "--at", "+2h", "--workflow", "vnf",
        "--action", 'simulated:host:{"seconds": 0.5}', "--action", "noop:post",
        "--metadata", "release=2026.2", "--metadata", '{"vcpus": 4}',
        "--option", "parallel_hosts=2", "--option", "unmanaged_projects=move",
    )  # fmt: skip
    found = fenix("session", "show", made.json["session_id"], "--json").json["request"]
    assert found["workflow"] == "vnf"
    assert found["hosts"] == ["compute-1", "compute-2", "compute-3"]
    assert found["metadata"] == {"release": "2026.2", "vcpus": 4}
    assert found["actions"] == [
        {"plugin": "simulated", "type": "host", "metadata": {"seconds": 0.5}},
        {"plugin": "noop", "type": "post", "metadata": {}},
    ]
    assert found["options"]["parallel_hosts"] == 2
    assert found["options"]["unmanaged_projects"] == "move"


def test_create_and_watch_until_it_is_done(fenix: Fenix, served: Served) -> None:
    result = fenix(
        "session", "create", *EMPTY, "--watch", "--action", 'simulated:host:{"seconds": 0.1}'
    )
    lines = result.out.splitlines()
    assert "MAINTENANCE_DONE 100 %" in lines[-1]
    for number in (1, 2, 3):
        assert any("host.maintained" in line and f"compute-{number}" in line for line in lines)
    assert all(host.enabled for host in served.world.hosts.values())


def test_in_a_pipe_only_what_is_printed_is_read(fenix: Fenix, served: Served) -> None:
    """The detail of a large session is long."""
    asked = []

    class Listening(PlainTransport):
        def __call__(self, method: str, path: str, body: Any) -> tuple[int, str]:
            asked.append(path.partition("?")[0].rpartition("/")[2])
            return super().__call__(method, path, body)

    ident = create(fenix, *EMPTY)
    with Client(Listening(served.url)) as client:
        assert follow(client, ident, interval=0.05)["state"] == "MAINTENANCE_DONE"
    assert set(asked) == {ident, "timeline"}


def test_a_live_picture_on_a_terminal(fenix: Fenix, served: Served) -> None:
    ident = create(fenix, *EMPTY, "--at", "+4s", "--action", 'simulated:host:{"seconds": 1}')
    code, shown = on_terminal("session", "watch", ident, "--interval", "0.05")
    assert code == 0, shown
    for word in ("IN_MAINTENANCE", "MAINTENANCE_DONE", "compute-3", "100 %", "timeline"):
        assert word in shown


def test_list_and_show_for_people(fenix: Fenix, served: Served) -> None:
    ident = create(fenix, *EMPTY)
    fenix("session", "watch", ident, "--interval", "0.05")
    listed = fenix("session", "list").out
    assert ident in listed
    assert "MAINTENANCE_DONE" in listed
    shown = fenix("session", "show", ident, "--timeline").out
    for word in ("compute-1", "MAINTAINED", "100 %", "session.created"):
        assert word in shown


def test_list_for_programs(fenix: Fenix, served: Served) -> None:
    assert fenix("session", "list", "--json").json == []
    idents = [create(fenix, "--at", "+1h", "--host", f"compute-{number}") for number in (1, 2)]
    found = fenix("session", "list", "--json").json
    assert [one["session_id"] for one in found] == idents
    assert found[0]["state"] == "MAINTENANCE"


def test_the_timeline_for_programs(fenix: Fenix, served: Served) -> None:
    ident = create(fenix, "--at", "+1h", *EMPTY)
    lines = fenix("session", "show", ident, "--timeline", "--json").json["timeline"]
    assert lines[0]["what"] == "session.created"


def test_a_failed_session_is_watched_continued_and_deleted(fenix: Fenix, served: Served) -> None:
    ident = fail(fenix)
    failed = fenix("session", "watch", ident, code=1)
    assert "p1" in failed.err
    assert "has failed" in failed.err
    went_on = fenix("session", "continue", ident)
    assert "goes on at MAINTENANCE" in went_on.out
    fenix("session", "watch", ident, "--interval", "0.05", code=1)
    assert "is gone" in fenix("session", "delete", ident, "--wait", "--interval", "0.05").out
    assert fenix("session", "list", "--json").json == []
    assert ident in fenix("session", "show", ident, code=1).err


def test_only_a_failed_session_goes_on(fenix: Fenix, served: Served) -> None:
    ident = create(fenix, "--at", "+1h", *EMPTY)
    assert "has not failed" in fenix("session", "continue", ident, code=1).err
    refused = fenix("session", "continue", ident, "--state", "SCALE_IN", code=1)
    assert "has not failed" in refused.err


def test_a_watched_session_that_is_deleted(fenix: Fenix, served: Served) -> None:
    ident = create(fenix, "--at", "+1h", *EMPTY)
    fenix("session", "delete", ident)
    ended = fenix("session", "watch", ident, "--interval", "0.05", code=1)
    assert ident in ended.err


def test_watching_survives_a_restart_of_the_service(
    fenix: Fenix, served: Served, start: Processes
) -> None:
    watching = start("session", "watch", create(fenix, *EMPTY, "--at", "+6s"))
    watching.until(lambda: "MAINTENANCE 0 %" in watching.said, "the first line")
    served.stop()
    watching.until(lambda: "trying again" in watching.said, "it to notice")
    served.start()
    assert watching.wait() == 0
    assert "answers again" in watching.said
    assert "MAINTENANCE_DONE 100 %" in watching.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--workflow", "nonsense"), "workflow"),
        (("--host", "no-such-host"), "no-such-host"),
        (("--at", "tomorrow"), "maintenance_at"),
        (("--action", "no-such-plugin:host"), "no-such-plugin"),
        (("--option", "parallel_hosts=0"), "parallel_hosts"),
        (("--option", "colour=red"), "colour"),
    ],
)
def test_what_the_api_refuses(
    fenix: Fenix, served: Served, arguments: tuple[str, ...], said: str
) -> None:
    refused = fenix("session", "create", *arguments, code=1)
    assert said in refused.err
    assert refused.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("session", "create", "--action", "simulated"),
        ("session", "create", "--action", "simulated:host:{"),
        ("session", "create", "--action", "simulated:host:[1]"),
        ("session", "create", "--metadata", "novalue"),
        ("session", "create", "--option", "=1"),
        ("session", "show"),
        ("session", "nonsense"),
        ("nonsense",),
        ("session", "list", "--colour"),
    ],
)
def test_wrong_usage(fenix: Fenix, arguments: tuple[str, ...]) -> None:
    assert fenix(*arguments, code=2).err


@pytest.mark.parametrize("command", ["show", "watch", "delete", "continue"])
def test_an_unknown_session(fenix: Fenix, served: Served, command: str) -> None:
    ident = "4f1f4f7e-0b5c-4f2d-9d25-9a1b1d1a2c3d"
    assert ident in fenix("session", command, ident, code=1).err


def test_strange_ids_are_no_paths(fenix: Fenix, served: Served) -> None:
    assert fenix("session", "show", "../../readyz?x", code=1).err
