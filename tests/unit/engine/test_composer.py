"""The forms of messages (wire contract, "Messages")."""

from datetime import datetime
from typing import Any

import pytest
from tests.factories import at, make_request, make_session

from fenix.domain import HostNews, Message, ProjectState
from fenix.engine.composer import Composer, timestamp

SESSION = make_session(id="8f8a", request=make_request(metadata={"new": "kernel"}))
URL = "http://fenix.example/v1/maintenance/8f8a/p-1"


def scheduled(state: ProjectState, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "instance_ids": ["i-1"],
        "reply_by": at(30),
        "actions_at": at(60),
        "single": False,
    }
    composer = Composer(SESSION, "http://fenix.example/v1/", 7)
    return composer.scheduled("key", "p-1", state, at(), **values | changes)


@pytest.mark.parametrize("state", ProjectState)
@pytest.mark.parametrize("single", [False, True])
def test_where_instances_are_listed_and_replies_go(state: ProjectState, single: bool) -> None:
    body = scheduled(state, single=single).payload
    moving = state in (ProjectState.PREPARE_MAINTENANCE, ProjectState.PLANNED_MAINTENANCE)
    listed = single or state is ProjectState.INSTANCE_ACTION_DONE
    assert body["instance_ids"] == (["i-1"] if listed else URL)
    assert body["reply_url"] == (f"{URL}/i-1" if single and moving else URL)
    assert bool(body["allowed_actions"]) is moving


def test_times_are_naive_utc_to_the_second() -> None:
    body = scheduled(ProjectState.SCALE_IN).payload
    assert body["reply_at"] == "2026-01-02T03:04:35"
    assert body["actions_at"] == "2026-01-02T03:05:05"
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5)) == "2026-01-02T03:04:05"


def test_no_value_is_null_where_no_reply_is_expected() -> None:
    body = scheduled(ProjectState.INSTANCE_ACTION_DONE, reply_by=None).payload
    assert body["reply_at"] == body["actions_at"]
    assert None not in body.values()


def test_the_metadata_are_a_copy() -> None:
    body = scheduled(ProjectState.MAINTENANCE).payload
    assert body["metadata"] == {"new": "kernel"}
    assert body["metadata"] is not SESSION.request.metadata


def test_messages_are_counted_on_from_the_last_one() -> None:
    composer = Composer(SESSION, "http://fenix.example/v1", 7)
    numbers = [composer.session("MAINTENANCE", 0, "", at()).sequence for _ in range(3)]
    assert numbers == [8, 9, 10]


def test_an_id_comes_from_the_session_and_the_key_alone() -> None:
    """Whoever composes it, and when: a receiver knows a repetition by its id."""
    one = Composer(SESSION, "http://a/v1", 0).host("IN:h", "h", HostNews.IN_MAINTENANCE, at())
    two = Composer(SESSION, "http://b/v1", 9).host("IN:h", "h", HostNews.IN_MAINTENANCE, at(5))
    assert one.id == two.id
    other = Composer(make_session(), "http://a/v1", 0)
    assert other.host("IN:h", "h", HostNews.IN_MAINTENANCE, at()).id != one.id
    again = Composer(SESSION, "http://a/v1", 0)
    assert again.host("IN:g", "g", HostNews.IN_MAINTENANCE, at()).id != one.id


def test_a_long_reason_is_cut_for_telemetry() -> None:
    message = Composer(SESSION, "http://a/v1", 0).session("MAINTENANCE_FAILED", 5, "x" * 999, at())
    assert len(message.payload["detail"]) == 200


def test_news_of_hosts_are_for_the_administrators_project() -> None:
    """Aodh routes by the project's id (wire contract, "Messages")."""
    composer = Composer(SESSION, "http://a/v1", 0)
    message = composer.host("IN:h", "h", HostNews.IN_MAINTENANCE, at())
    assert message.project_id == message.payload["project_id"] == SESSION.admin_project_id
    assert (message.payload["host"], message.payload["state"]) == ("h", "IN_MAINTENANCE")


def test_a_named_message_to_the_administrator_is_the_same_after_a_restart() -> None:
    one = Composer(SESSION, "http://a/v1", 3).session("MAINTENANCE_FAILED", 5, "", at(), "deleted")
    two = Composer(SESSION, "http://a/v1", 4).session("MAINTENANCE_FAILED", 5, "", at(), "deleted")
    assert one.key == two.key == "session:deleted"
    assert one.id == two.id
