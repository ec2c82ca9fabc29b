"""Who administered what: in the log, and in the timeline of the session."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from fenix.store import DatabaseUnavailable
from tests.api.harness import Api, session_body

S = "4f1f4f7e-0000-4000-8000-000000000001"


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The events in the log, oldest first."""
    found = [json.loads(one.getMessage()) for one in caplog.records if one.name == "fenix.audit"]
    caplog.clear()
    return found


def lines(api: Api, session_id: str) -> list[tuple[str, str]]:
    shown = api.call("GET", f"/v1/maintenance/{session_id}/timeline").json()["timeline"]
    return [(one["who"], one["why"]) for one in shown if one["what"] == "admin.called"]


def test_calls_of_administrators_are_told(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fenix.audit")
    made = api.call("POST", "/v1/maintenance", session_body())
    session_id = made.json()["session_id"]
    refused = api.call("PUT", f"/v1/maintenance/{session_id}", {"state": "SCALE_IN"})
    api.call("GET", f"/v1/maintenance/{session_id}", as_="system-reader")
    api.call("DELETE", f"/v1/maintenance/{session_id}", as_="p1")
    created, continued, seen, forbidden = told(caplog)
    assert created["typeURI"] == "http://schemas.dmtf.org/cloud/audit/1.0/event"
    assert created["action"] == "create/session:create"
    assert created["outcome"] == "success"
    assert created["initiator"]["id"] == "root"
    assert created["initiator"]["project_id"] == "cloud"
    assert created["initiator"]["host"]["address"] == "127.0.0.1"
    assert created["target"]["id"] == session_id
    assert created["request_id"] == made.headers["X-Openstack-Request-Id"]
    assert (continued["action"], continued["outcome"]) == ("update/session:continue", "failure")
    assert continued["reason"] == {"reasonType": "HTTP", "reasonCode": "409"}
    assert (seen["action"], seen["initiator"]["id"]) == ("read/session:show", "eyes")
    assert (forbidden["outcome"], forbidden["initiator"]["id"]) == ("failure", "u1")
    assert forbidden["reason"]["reasonCode"] == "403"
    first, second = (one.headers["X-Openstack-Request-Id"] for one in (made, refused))
    # Whoever may not administer can't fill a timeline, and neither can looking.
    assert lines(api, session_id) == [
        ("user root", f"session:create from 127.0.0.1: done, 200, {first}"),
        ("user root", f"session:continue from 127.0.0.1: refused, 409, {second}"),
    ]


def test_what_is_done_to_another_project_is_told(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fenix.audit")
    body = {"group_id": "g", "instance_name": "i", "project_id": "p1"}
    assert api.call("PUT", "/v1/instance/i1", body).status_code == 200
    api.call("DELETE", "/v1/instance/i1", as_="p2")
    api.call("DELETE", "/v1/instance/i1", as_="p1")
    (registered,) = told(caplog)
    assert registered["action"] == "update/constraints:put"
    assert (registered["target"]["typeURI"], registered["target"]["id"]) == (
        "service/maintenance/project",
        "p1",
    )


def test_what_is_no_call_of_an_administrator_is_not_told(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fenix.audit")
    api.call("GET", "/healthz")
    api.call("GET", "/v1/maintenance", as_=None)
    api.call("PUT", "/v1/instance/i1", {"group_id": "g"}, as_="p1")
    assert told(caplog) == []


def test_a_session_that_is_not_there_and_a_database_that_is_away(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    assert api.call("DELETE", f"/v1/maintenance/{S}").status_code == 404
    session_id = api.session()
    write = api.database.write

    async def away(work: Any) -> Any:
        if "audit" in work.__qualname__:
            raise DatabaseUnavailable("gone")
        return await write(work)

    api.database.write = away  # type: ignore[method-assign]
    assert api.call("DELETE", f"/v1/maintenance/{session_id}").is_success
    assert f"session {session_id}: no line in its timeline about session:delete" in caplog.text


LOGGING = """
import asyncio, logging, sys
from fenix import config, logs
logs.set_up(config.load(["--use-json"] if "json" in sys.argv else [], files=[]))
log = logging.getLogger("fenix.test")
async def host(name):
    with logs.about(host=name):
        await asyncio.sleep(0)
        log.info("works")
async def main():
    with logs.about(session="s1"):
        async with asyncio.TaskGroup() as tasks:
            for name in ("h1", "h2"):
                tasks.create_task(host(name))
        log.info("session %s: all done", "s1")
    log.info("outside")
    logging.getLogger("httpx").info("quiet")
asyncio.run(main())
"""


def output(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_each_line_of_the_log_says_what_it_is_about() -> None:
    texts = [line.split(" [-] ")[1] for line in output()]
    assert texts == [
        "[session s1, host h1] works",
        "[session s1, host h2] works",
        "session s1: all done",
        "outside",
    ]


def test_the_log_as_json() -> None:
    found = [(line["context"], line["message"]) for line in map(json.loads, output("json"))]
    assert found == [
        ({"session": "s1", "host": "h1"}, "works"),
        ({"session": "s1", "host": "h2"}, "works"),
        ({"session": "s1"}, "session s1: all done"),
        ({}, "outside"),
    ]
