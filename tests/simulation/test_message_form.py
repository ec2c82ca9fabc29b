"""Every message of a whole session has the form of the wire contract ("Messages")."""

import ast
from collections.abc import Mapping
from datetime import datetime

import pytest
import yaml

from fenix.domain import EventType, HostNews, Message, MoveAction, ProjectState, SessionState
from fenix.simulation.running import Stage
from tests.simulation.people import refuses, script
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor

ENDPOINT = "https://cloud.example:12347/v1"
METADATA = {"openstack": "2026.1", "features": ["a", "b"], "count": 3, "sriov": True}
SETTINGS = {"public_endpoint": ENDPOINT}
LONGEST = 255


def whole() -> Ending:
    """A session in which every kind of message occurs, except those of failures."""
    return perform(doctor(), settings=SETTINGS, request={"metadata": METADATA})


def failed() -> Ending:
    """One in which a host fails, then goes on, then is refused."""

    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "x" * 1000
        script(stage, "doctor", MAINTENANCE_COMPLETE=refuses)

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        play.stage.actions.failing.clear()
        await play.go_on()

    return perform(doctor(), story, prepare=broken, settings=SETTINGS, state="MAINTENANCE_FAILED")


def deleted() -> Ending:
    """One that is deleted while a host is worked on."""

    async def story(play: Play) -> None:
        await play.event("host.maintenance.started", host="compute-1")
        await play.delete()

    return perform(doctor(), story, settings=SETTINGS, state=None)


SENT = {
    f"{make.__name__}:{message.sequence}": message
    for make in (whole, failed, deleted)
    for message in make().sent
}


def of(kind: EventType) -> pytest.MarkDecorator:
    """All messages of a kind."""
    mine = {name: one for name, one in SENT.items() if one.event_type is kind}
    assert mine
    return pytest.mark.parametrize("message", mine.values(), ids=mine.keys())


everything = pytest.mark.parametrize("message", SENT.values(), ids=SENT.keys())


@everything
def test_each_value_survives_telemetry(message: Message) -> None:
    """Ceilometer sends Python's text of a value, cut at 255 characters, and drops nulls."""
    for name, value in message.payload.items():
        assert value is not None, name
        text = str(value)
        assert len(text) < LONGEST, name
        if not isinstance(value, str):
            assert ast.literal_eval(text) == value, name
            assert yaml.safe_load(text) == value, name


@everything
def test_each_message_says_whose_and_which_it_is(message: Message) -> None:
    body = message.payload
    assert body["service"] == "fenix"
    assert body["session_id"] == "simulation"
    assert body["message_id"] == message.id
    assert body["sequence"] == message.sequence
    assert body["state"] == message.state
    assert body["project_id"] == message.project_id
    assert type(body["state"]) is str, "no subclass, as it is written into JSON and YAML"
    admin = message.event_type is not EventType.SCHEDULED
    assert message.project_id == ("admin" if admin else "doctor")


def test_ids_and_numbers_are_unique() -> None:
    for make in (whole, failed, deleted):
        messages = make().messages
        assert len({one.id for one in messages}) == len(messages)
        assert sorted(one.sequence for one in messages) == list(range(1, len(messages) + 1))


def is_time(text: str) -> bool:
    """Whether it is naive UTC to the second."""
    return datetime.fromisoformat(text).isoformat(timespec="seconds") == text and len(text) == 19


@of(EventType.SCHEDULED)
def test_a_message_to_a_project_has_all_that_managers_need(message: Message) -> None:
    body = message.payload
    assert body.keys() == {
        "service",
        "session_id",
        "project_id",
        "message_id",
        "sequence",
        "state",
        "instance_ids",
        "reply_url",
        "allowed_actions",
        "actions_at",
        "reply_at",
        "metadata",
    }
    assert body["state"] in set(ProjectState), "Doctor's manager raises on any other"
    assert is_time(body["actions_at"])
    assert is_time(body["reply_at"])


URL = f"{ENDPOINT}/maintenance/simulation/doctor"


@of(EventType.SCHEDULED)
def test_instances_are_listed_by_a_url_or_in_a_list(message: Message) -> None:
    """In workflow default a list only tells that one instance was moved."""
    ids = message.payload["instance_ids"]
    if message.state == ProjectState.INSTANCE_ACTION_DONE:
        assert isinstance(ids, list)
        assert ids == list(message.instance_ids)
        assert len(ids) == 1
    else:
        assert ids == URL
    assert message.payload["reply_url"] == URL


@of(EventType.SCHEDULED)
def test_actions_are_offered_only_where_instances_move(message: Message) -> None:
    offered = message.payload["allowed_actions"]
    assert type(offered) is list
    if message.state in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"):
        assert sorted(offered) == ["LIVE_MIGRATE", "MIGRATE", "OWN_ACTION"]
        assert {type(action) for action in offered} == {str}
        assert set(offered) == {str(action) for action in MoveAction}
    else:
        assert offered == []


def test_the_metadata_of_the_session_are_in_each_message_to_a_project() -> None:
    scheduled = [one for one in whole().sent if one.event_type is EventType.SCHEDULED]
    assert {one.state for one in scheduled} == set(ProjectState)
    for message in scheduled:
        assert message.payload["metadata"] == METADATA


@of(EventType.HOST)
def test_a_message_about_a_host(message: Message) -> None:
    body = message.payload
    assert body.keys() == {
        "service",
        "session_id",
        "project_id",
        "message_id",
        "sequence",
        "state",
        "host",
    }
    assert body["state"] in set(HostNews)
    assert body["host"] in ("compute-1", "compute-2", "compute-3")


@of(EventType.SESSION)
def test_a_message_about_the_session(message: Message) -> None:
    body = message.payload
    assert body.keys() == {
        "service",
        "session_id",
        "project_id",
        "message_id",
        "sequence",
        "state",
        "percent_done",
        "detail",
    }
    assert body["state"] in set(SessionState)
    assert type(body["percent_done"]) is int
    assert 0 <= body["percent_done"] <= 100
    assert isinstance(body["detail"], str)


def test_all_kinds_and_states_have_been_looked_at() -> None:
    seen: Mapping[EventType, set[str]] = {kind: set() for kind in EventType}
    for message in SENT.values():
        seen[message.event_type].add(message.state)
    assert seen[EventType.SCHEDULED] == set(ProjectState)
    assert seen[EventType.SESSION] == set(SessionState)
    assert seen[EventType.HOST] == {"IN_MAINTENANCE", "MAINTENANCE_COMPLETE", "MAINTENANCE_FAILED"}
