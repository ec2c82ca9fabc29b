"""Replies of application managers, as the known ones send them and as they must not."""

from typing import Any

import pytest

from fenix.domain import MoveAction, Reply
from fenix.store import progress, replies, sessions
from tests.api.harness import Api, problem
from tests.factories import make_instance

ACK = {"state": "ACK_PLANNED_MAINTENANCE"}
UNKNOWN = "00000000-0000-0000-0000-00000000beef"


@pytest.fixture
def session(api: Api) -> str:
    """A session that talks with projects p1 and p2, and has dealt with instances of each."""
    session_id = api.session()
    api.add_project(session_id, "p1", "i1")
    api.add_project(session_id, "p2", "i2")
    for instance, project in (("i1", "p1"), ("i2", "p2"), ("i3", "p1")):
        api.write(progress.save_instance(session_id, make_instance(instance, project_id=project)))
    api.wakes = 0
    return session_id


def inbox(api: Api, session_id: str) -> list[Reply]:
    found: list[Reply] = api.read(lambda c: replies.waiting(c, [session_id]))
    return found


def test_a_project_sees_what_the_last_message_to_it_concerns(api: Api, session: str) -> None:
    path = f"/v1/maintenance/{session}/p1"
    for caller in ("p1", "p1-admin", "admin", "system-reader"):
        answer = api.call("GET", path, as_=caller)
        assert (answer.status_code, answer.json()) == (200, {"instance_ids": ["i1"]})


KNOWN_REPLIES: list[tuple[str, dict[str, Any], Reply]] = [
    # Doctor's manager for workflow default
    (
        "",
        {"session_id": "S", "instance_ids": ["i1"], "state": "ACK_MAINTENANCE"},
        Reply("", "p1", "ACK_MAINTENANCE"),
    ),
    (
        "",
        {
            "session_id": "S",
            "instance_actions": {"i1": "MIGRATE", "i3": "OWN_ACTION"},
            "state": "ACK_PLANNED_MAINTENANCE",
        },
        Reply(
            "",
            "p1",
            "ACK_PLANNED_MAINTENANCE",
            None,
            {"i1": MoveAction.MIGRATE, "i3": MoveAction.OWN_ACTION},
        ),
    ),
    # Doctor's VNFM
    (
        "/i1",
        {"instance_action": "MIGRATE", "state": "ACK_PREPARE_MAINTENANCE"},
        Reply("", "p1", "ACK_PREPARE_MAINTENANCE", "i1", {"i1": MoveAction.MIGRATE}),
    ),
    # Tacker: also without an action, and to what needs no answer
    (
        "/i1",
        {"session_id": "S", "state": "ACK_PLANNED_MAINTENANCE"},
        Reply("", "p1", "ACK_PLANNED_MAINTENANCE", "i1"),
    ),
    (
        "",
        {"session_id": "S", "state": "ACK_INSTANCE_ACTION_DONE"},
        Reply("", "p1", "ACK_INSTANCE_ACTION_DONE"),
    ),
    (
        "",
        {"state": "NACK_SCALE_IN", "instance_actions": None, "instance_action": {"odd": 1}},
        Reply("", "p1", "NACK_SCALE_IN"),
    ),
]


@pytest.mark.parametrize(("tail", "body", "expected"), KNOWN_REPLIES)
def test_replies_of_known_managers_come_in(
    api: Api, session: str, tail: str, body: dict[str, Any], expected: Reply
) -> None:
    answer = api.call("PUT", f"/v1/maintenance/{session}/p1{tail}", body, as_="p1")
    assert (answer.status_code, answer.json()) == (200, {})
    (reply,) = inbox(api, session)
    assert reply.session_id == session
    for field in ("project_id", "state", "instance_id", "instance_actions"):
        assert getattr(reply, field) == getattr(expected, field)
    assert api.wakes == 1


def test_an_instance_that_the_last_message_names_is_known(api: Api) -> None:
    session_id = api.session()
    api.add_project(session_id, "p1", "i5")
    for instance, code in (("i5", 200), ("i6", 404)):
        path = f"/v1/maintenance/{session_id}/p1/{instance}"
        assert api.call("PUT", path, ACK, as_="p1").status_code == code


def test_a_reply_may_come_twice(api: Api, session: str) -> None:
    for _ in range(2):
        body = {"state": "ACK_MAINTENANCE"}
        assert api.call("PUT", f"/v1/maintenance/{session}/p1", body, as_="p1").is_success
    assert len(inbox(api, session)) == 2


def test_the_same_reply_many_times_does_not_fill_the_database(api: Api, session: str) -> None:
    path = f"/v1/maintenance/{session}/p1"
    for _ in range(100):
        assert api.call("PUT", path, ACK, as_="p1").status_code == 200
    assert len(inbox(api, session)) == replies.MOST_WAITING
    assert api.call("PUT", f"{path}/i1", ACK, as_="p1").status_code == 200
    assert api.call("PUT", path, {"state": "NACK_SCALE_IN"}, as_="p1").status_code == 200
    assert len(inbox(api, session)) == replies.MOST_WAITING + 2


def test_choices_for_instances_that_are_not_the_projects_are_dropped(
    api: Api, session: str
) -> None:
    """Its own, one of another project, and as many as a body can hold."""
    ids = ["i1", "i2", *(f"{number:064}" for number in range(9000))]
    body = ACK | {"instance_actions": dict.fromkeys(ids, "MIGRATE")}
    assert api.call("PUT", f"/v1/maintenance/{session}/p1", body, as_="p1").status_code == 200
    (reply,) = inbox(api, session)
    assert reply.instance_actions == {"i1": MoveAction.MIGRATE}


def test_a_choice_for_an_instance_of_an_earlier_message_is_kept(api: Api, session: str) -> None:
    api.add_project(session, "p1", "i5")
    body = ACK | {"instance_actions": {"i1": "MIGRATE", "i5": "LIVE_MIGRATE", "i6": "MIGRATE"}}
    assert api.call("PUT", f"/v1/maintenance/{session}/p1", body, as_="p1").status_code == 200
    (reply,) = inbox(api, session)
    assert set(reply.instance_actions) == {"i1", "i5"}


def test_a_reply_to_a_session_that_is_over_changes_nothing(api: Api, session: str) -> None:
    api.fail(session)
    api.write(lambda c: sessions.close(c, session))
    answer = api.call(
        "PUT", f"/v1/maintenance/{session}/p1", {"state": "ACK_MAINTENANCE"}, as_="p1"
    )
    assert answer.status_code == 200
    assert inbox(api, session) == []


WRONG: list[tuple[str, Any, str]] = [
    ("", {}, "state is missing."),
    ("", {"state": "ACK"}, "state: 'ACK' is not valid; allowed: one of ACK_INSTANCE_ACTION_DONE, "),
    ("", {"state": "ACK_START_MAINTENANCE"}, "state: 'ACK_START_MAINTENANCE'"),
    ("", {"state": "ack_maintenance"}, "state: 'ack_maintenance'"),
    ("", {"state": ["ACK_MAINTENANCE"]}, "state"),
    ("", {"state": "A" * 41}, "state"),
    (
        "",
        {"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": {"i1": "TELEPORT"}},
        "instance_actions.i1: 'TELEPORT'",
    ),
    ("", {"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": ["MIGRATE"]}, "instance_actions"),
    ("", {"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": {"": "MIGRATE"}}, "instance_a"),
    (
        "",
        {"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": {"i" * 65: "MIGRATE"}},
        "instance_actions",
    ),
    ("/i1", {}, "state is missing."),
    ("/i1", {"state": "ACK_X"}, "state: 'ACK_X'"),
    (
        "/i1",
        {"state": "ACK_PLANNED_MAINTENANCE", "instance_action": "migrate"},
        "instance_action: 'migrate'",
    ),
    ("/i1", {"state": "ACK_PLANNED_MAINTENANCE", "instance_action": 1}, "instance_action: 1"),
]


@pytest.mark.parametrize(("tail", "body", "message"), WRONG)
def test_a_malformed_reply_is_refused(
    api: Api, session: str, tail: str, body: Any, message: str
) -> None:
    answer = api.call("PUT", f"/v1/maintenance/{session}/p1{tail}", body, as_="p1")
    assert problem(answer, 400).startswith(message)
    assert inbox(api, session) == []
    assert api.wakes == 0


@pytest.mark.parametrize(
    ("method", "path", "caller", "message"),
    [
        ("GET", f"/v1/maintenance/{UNKNOWN}/p1", "p1", f"session '{UNKNOWN}' does not exist"),
        ("PUT", f"/v1/maintenance/{UNKNOWN}/p1", "p1", f"session '{UNKNOWN}' does not exist"),
        ("PUT", f"/v1/maintenance/{UNKNOWN}/p1/i1", "p1", f"session '{UNKNOWN}' does not exist"),
        ("GET", "/v1/maintenance/{session}/p9", "admin", "project 'p9' does not exist"),
        ("PUT", "/v1/maintenance/{session}/p1/i9", "p1", "instance 'i9' does not exist"),
        ("PUT", "/v1/maintenance/{session}/p1/i2", "p1", "instance 'i2' does not exist"),
    ],
)
def test_what_the_session_does_not_know_is_not_found(
    api: Api, session: str, method: str, path: str, caller: str, message: str
) -> None:
    body = ACK if method == "PUT" else None
    answer = api.call(method, path.replace("{session}", session), body, as_=caller)
    assert problem(answer, 404).endswith(message)
    assert inbox(api, session) == []


def test_a_project_that_the_session_does_not_talk_with_can_not_answer(api: Api) -> None:
    session_id = api.session()
    answer = api.call("PUT", f"/v1/maintenance/{session_id}/p1", ACK, as_="p1")
    assert problem(answer, 404).endswith("project 'p1' does not exist")


def test_detail_and_timeline_are_no_projects(api: Api, session: str) -> None:
    for name in ("detail", "timeline"):
        api.add_project(session, name, "i7")
        shown = api.call("GET", f"/v1/maintenance/{session}/{name}").json()
        assert "instance_ids" not in shown
        assert name == "timeline" or shown["state"] == "MAINTENANCE"
