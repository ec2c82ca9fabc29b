"""Sessions as administrators create, watch, continue and delete them."""

from datetime import datetime
from typing import Any

import pytest

from fenix.clouds.simulated import SimulatedCloud, World
from fenix.domain import (
    ActionState,
    ActionType,
    DeliveryState,
    Ending,
    HostRecord,
    HostState,
    MoveState,
    SessionOptions,
    SessionState,
    SilentPolicy,
)
from fenix.store import messages, progress, sessions
from tests.api.harness import NOW, SOON, Api, problem, session_body
from tests.factories import make_action, make_instance, make_message, make_move

UNKNOWN = "00000000-0000-0000-0000-00000000beef"


def hosts(api: Api, session_id: str) -> dict[str, HostRecord]:
    found = api.read(lambda c: progress.list_hosts(c, session_id))
    return {host.name: host for host in found}


def test_what_was_asked_for_is_kept(api: Api) -> None:
    session_id = api.session(
        hosts=["control-1", "compute-2"],
        actions=[{"plugin": "picky", "type": "host", "metadata": {"release": "r1"}}],
        download=["http://files.example/a.tar"],
        options={"reply_timeout": 60, "silent_projects": "skip_host", "parallel_hosts": None},
    )
    session = api.stored(session_id)
    assert session.state is SessionState.MAINTENANCE
    assert session.admin_project_id == "cloud"
    assert session.created_at == NOW
    request = session.request
    assert request.workflow == "default"
    assert request.maintenance_at == datetime(2030, 1, 1, 12, 0, 30)
    assert request.metadata == {"openstack_version": "Train"}
    assert request.hosts == ("control-1", "compute-2")
    assert request.actions[0].plugin == "picky"
    assert request.actions[0].type is ActionType.HOST
    assert request.actions[0].metadata == {"release": "r1"}
    assert request.download == ("http://files.example/a.tar",)
    assert request.options.reply_timeout == 60.0
    assert request.options.silent_projects is SilentPolicy.SKIP_HOST
    assert request.options.parallel_migrations_per_host == 4
    assert {name: host.type.value for name, host in hosts(api, session_id).items()} == {
        "compute-2": "compute",
        "control-1": "controller",
    }
    assert api.wakes == 1


def test_options_that_are_not_chosen_are_as_configured() -> None:
    api = Api(session_options=SessionOptions(reply_timeout=7, parallel_hosts=2))
    session_id = api.session(options={"parallel_hosts": 5})
    options = api.stored(session_id).request.options
    assert (options.reply_timeout, options.parallel_hosts) == (7, 5)
    api.close()


@pytest.mark.parametrize("sent", [{"hosts": []}, {}])
def test_no_hosts_means_all_that_compute(api: Api, sent: dict[str, Any]) -> None:
    body = session_body()
    del body["hosts"]
    answer = api.call("POST", "/v1/maintenance", body | sent)
    session_id = answer.json()["session_id"]
    assert sorted(hosts(api, session_id)) == ["compute-1", "compute-2", "compute-3"]
    assert api.stored(session_id).request.hosts == ()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2030-01-01 13:00:00", datetime(2030, 1, 1, 13)),
        ("2030-01-01T13:00:00", datetime(2030, 1, 1, 13)),
        ("2030-01-01T13:00:00Z", datetime(2030, 1, 1, 13)),
        ("2030-01-01T13:00:00.5+02:00", datetime(2030, 1, 1, 11, 0, 0, 500000)),
        ("2030-01-01 13:00:00 -0130", datetime(2030, 1, 1, 14, 30)),
        ("2030-01-01T13:00", datetime(2030, 1, 1, 13)),
        ("2029-12-31 12:00:01", datetime(2029, 12, 31, 12, 0, 1)),
    ],
)
def test_times_are_taken_in_the_forms_of_the_contract(api: Api, sent: str, kept: datetime) -> None:
    assert api.stored(api.session(maintenance_at=sent)).request.maintenance_at == kept


ACTION = {"plugin": "picky", "type": "host", "metadata": {"release": "r1"}}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"state": "PLANNED_MAINTENANCE"}, "state: 'PLANNED_MAINTENANCE'"),
    ({"state": None}, "state: None"),
    ({"workflow": "nonesuch"}, "workflow: 'nonesuch' is not valid; allowed: an installed workflow"),
    ({"workflow": "absent"}, "workflow: 'absent' is not valid; allowed: one that can be loaded"),
    ({"workflow": ""}, "workflow"),
    ({"workflow": 1}, "workflow: 1"),
    ({"workflow": "w" * 65}, "workflow"),
    ({"maintenance_at": "tomorrow"}, "maintenance_at: 'tomorrow'"),
    ({"maintenance_at": 1893499200}, "maintenance_at: 1893499200"),
    ({"maintenance_at": None}, "maintenance_at"),
    ({"maintenance_at": "2030-02-30 00:00:00"}, "maintenance_at"),
    ({"maintenance_at": "2030-01-01"}, "maintenance_at"),
    ({"maintenance_at": "2029-12-31 11:00:00"}, "maintenance_at"),
    ({"maintenance_at": "9999-12-31T23:59:59-23:59"}, "maintenance_at"),
    ({"maintenance_at": "0001-01-01T00:00:00+23:59"}, "maintenance_at"),
    ({"maintenance_at": "2036-01-01T00:00:00"}, "maintenance_at"),
    ({"metadata": {"text": "x" * 255}}, "metadata"),
    ({"metadata": {"switch": "yes", "none": None}}, "metadata"),
    ({"metadata": []}, "metadata: []"),
    ({"metadata": "text"}, "metadata: 'text'"),
    ({"hosts": "compute-1"}, "hosts: 'compute-1'"),
    ({"hosts": [7]}, "hosts.0: 7"),
    ({"hosts": [""]}, "hosts.0"),
    ({"hosts": ["compute-1", "compute-9"]}, "hosts.1: 'compute-9'"),
    ({"hosts": ["compute-1", "compute-1"]}, "hosts.1: 'compute-1' is not valid; allowed: each"),
    ({"hosts": ["h" * 256]}, "hosts.0"),
    ({"hosts": ["compute-1\n"]}, "hosts.0"),
    ({"host": ["compute-1"]}, "host is not a known field; allowed: "),
    ({"actions": [{"plugin": "picky"}]}, "actions.0.type is missing"),
    ({"actions": [{"type": "host"}]}, "actions.0.plugin is missing"),
    ({"actions": [ACTION | {"plugin": "nonesuch"}]}, "actions.0.plugin: 'nonesuch'"),
    ({"actions": [ACTION, ACTION | {"metadata": {}}]}, "actions.1.metadata: {}"),
    ({"actions": [ACTION | {"metadata": {}}]}, "release is missing"),
    ({"actions": [ACTION | {"plugin": "broken"}]}, "actions.0.metadata"),
    ({"actions": [ACTION | {"plugin": "absent"}]}, "actions.0.plugin: 'absent'"),
    ({"actions": [ACTION | {"type": "sometimes"}]}, "actions.0.type: 'sometimes'"),
    (
        {"actions": [ACTION | {"when": 1}]},
        "actions.0.when is not a known field; allowed: plugin, type, metadata.",
    ),
    ({"actions": {}}, "actions"),
    ({"download": ["x" * 2049]}, "download.0"),
    ({"download": [1]}, "download.0"),
    ({"options": {"reply_timeout": -1}}, "options.reply_timeout: -1"),
    ({"options": {"reply_timeout": "60"}}, "options.reply_timeout: '60'"),
    ({"options": {"reply_timeout": True}}, "options.reply_timeout: True"),
    ({"options": {"reply_timeout": None}}, "options.reply_timeout"),
    ({"options": {"parallel_hosts": 0}}, "options.parallel_hosts: 0"),
    ({"options": {"parallel_hosts": 1.5}}, "options.parallel_hosts: 1.5"),
    ({"options": {"silent_projects": "shout"}}, "options.silent_projects: 'shout'"),
    (
        {"options": {"reply_time": 5}},
        "options.reply_time is not a known field; allowed: reply_timeout, ",
    ),
    ({"options": None}, "options"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_nothing_is_created_when_a_field_is_wrong(
    api: Api, wrong: dict[str, Any], message: str
) -> None:
    before = api.rows()
    answer = api.call("POST", "/v1/maintenance", session_body(**wrong))
    assert message in problem(answer, 400)
    assert api.rows() == before
    assert api.wakes == 0


@pytest.mark.parametrize("field", ["workflow", "maintenance_at"])
def test_what_is_needed_is_named(api: Api, field: str) -> None:
    body = session_body()
    del body[field]
    answer = api.call("POST", "/v1/maintenance", body)
    assert problem(answer, 400) == f"{field} is missing."


def test_a_host_belongs_to_one_session(api: Api) -> None:
    first = api.session(hosts=["compute-2"])
    before = api.rows()
    message = problem(api.call("POST", "/v1/maintenance", session_body()), 409)
    assert message == f"host compute-2: session {first} has not ended"
    assert api.rows() == before
    api.session(hosts=["compute-1", "compute-3"])
    message = problem(api.call("POST", "/v1/maintenance", session_body()), 409)
    assert message.startswith("host compute-1 and 2 more: session ")


@pytest.mark.parametrize("end", [SessionState.MAINTENANCE_DONE, SessionState.MAINTENANCE_FAILED])
def test_an_ended_session_has_no_hosts(api: Api, end: SessionState) -> None:
    first = api.session()
    api.set_session(first, state=end)
    api.session()


def test_a_session_that_is_being_deleted_keeps_its_hosts_until_it_is_gone(api: Api) -> None:
    first = api.session()
    api.call("DELETE", f"/v1/maintenance/{first}")
    assert problem(api.call("POST", "/v1/maintenance", session_body()), 409)
    api.set_session(first, ending=Ending.DELETED)
    api.write(lambda c: sessions.close(c, first))
    api.session()


def test_without_hosts_there_is_nothing_to_maintain(api: Api) -> None:
    api.cloud.inventory = SimulatedCloud(World([])).inventory  # type: ignore[method-assign]
    assert "hosts: []" in problem(api.call("POST", "/v1/maintenance", session_body()), 400)


def test_all_sessions_are_listed_under_both_names(api: Api) -> None:
    assert api.call("GET", "/v1/maintenance").json() == {"sessions": [], "session_id": []}
    ids = [api.session(hosts=["compute-1"]), api.session(hosts=["compute-2"])]
    answer = api.call("GET", "/v1/maintenance").json()
    assert sorted(answer["sessions"]) == sorted(ids)
    assert answer["session_id"] == answer["sessions"]


def test_a_session_tells_where_it_stands(api: Api) -> None:
    session_id = api.session()
    wait = {"who": "project p1", "what": "answer", "since": "2030-01-01T12:00:00", "until": None}
    api.set_session(session_id, waiting_for=[wait], percent_done=12)
    shown = api.call("GET", f"/v1/maintenance/{session_id}").json()
    assert shown["session_id"] == session_id
    assert shown["state"] == "MAINTENANCE"
    assert shown["percent_done"] == 12
    assert shown["waiting_for"] == [wait]
    assert shown["created_at"] == "2030-01-01T12:00:00"
    assert shown["finished_at"] is None


def test_the_detail_tells_everything(api: Api) -> None:
    session_id = api.session(actions=[ACTION], hosts=["compute-1", "control-1"])
    api.fail(session_id)
    api.add_project(session_id, "p1", "i1")
    failed = HostRecord("compute-1", state=HostState.FAILED, why="it does not boot")
    run = make_action(state=ActionState.FAILED, error="exit 1", log="a" * 3000 + "the end")
    move = make_move(state=MoveState.FAILED, error="no valid host")
    message = make_message()
    api.write(
        progress.save_host(session_id, failed),
        progress.save_instance(session_id, make_instance("i1", project_id="p1")),
        progress.save_move(session_id, move),
        progress.save_action(session_id, run, "engine-host"),
        messages.add(session_id, message, [("http", "sub-1"), ("bus", "")]),
    )
    (first, _) = api.read(lambda c: messages.pending(c, session_id))
    first.state, first.error, first.attempts = DeliveryState.GIVEN_UP, "no answer within 10 s", 9
    api.write(messages.save_attempt(first))

    shown = api.call("GET", f"/v1/maintenance/{session_id}/detail").json()
    assert shown["session_id"] == session_id
    assert shown["state"] == "MAINTENANCE_FAILED"
    assert shown["failed_state"] == "PLANNED_MAINTENANCE"
    assert shown["request"]["actions"] == [ACTION]
    assert shown["request"]["maintenance_at"] == SOON.replace(" ", "T")
    assert shown["request"]["options"]["reply_timeout"] == 300.0
    assert [host["name"] for host in shown["hosts"]] == ["compute-1", "control-1"]
    assert shown["instances"][0]["id"] == "i1"
    assert shown["projects"] == [
        {"id": "p1", "reached": True, "state": None, "reply": None, "instance_ids": ["i1"]}
    ]
    assert shown["moves"][0]["error"] == "no valid host"
    assert shown["actions"][0]["executor"] == "engine-host"
    assert shown["actions"][0]["log"].endswith("the end")
    assert len(shown["actions"][0]["log"]) < 2100
    deliveries = shown["messages"][0]["deliveries"]
    assert [one["state"] for one in deliveries] == ["GIVEN_UP", "PENDING"]
    assert [(one["what"], one["error"]) for one in shown["errors"]] == [
        ("session", "no host has room for instance i1"),
        ("host", "it does not boot"),
        ("move", "no valid host"),
        ("action", "exit 1"),
        ("delivery", "no answer within 10 s"),
    ]
    whole = api.call("GET", f"/v1/maintenance/{session_id}/actions/{run.id}").json()
    assert whole["log"] == run.log
    message_ = problem(api.call("GET", f"/v1/maintenance/{session_id}/actions/nope"), 404)
    assert "nope" in message_


def test_the_timeline_is_read_page_by_page(api: Api) -> None:
    session_id = api.session()
    api.call("DELETE", f"/v1/maintenance/{session_id}")
    path = f"/v1/maintenance/{session_id}/timeline"
    first = api.call("GET", path, params={"limit": 1}).json()
    assert [line["what"] for line in first["timeline"]] == ["session.created"]
    assert first["timeline"][0]["who"] == "user root"
    assert first["timeline"][0]["at"] == "2030-01-01T12:00:00"
    second = api.call("GET", path, params={"after": first["next"]}).json()
    assert [line["what"] for line in second["timeline"]] == [
        "admin.called",
        "session.delete_requested",
        "admin.called",
    ]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": -1}, "after"),
        ({"after": "x"}, "after"),
        ({"after": 2**31}, "after"),
        ({"after": "9" * 5000}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
    ],
)
def test_a_wrong_page_is_refused(api: Api, query: dict[str, Any], field: str) -> None:
    path = f"/v1/maintenance/{api.session()}/timeline"
    assert problem(api.call("GET", path, params=query), 400).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("GET", "/detail", None),
        ("GET", "/timeline", None),
        ("GET", "/actions/x", None),
        ("PUT", "", {"state": "PLANNED_MAINTENANCE"}),
        ("DELETE", "", None),
    ],
)
def test_an_unknown_session_is_told_as_such(api: Api, method: str, tail: str, body: Any) -> None:
    answer = api.call(method, f"/v1/maintenance/{UNKNOWN}{tail}", body)
    assert problem(answer, 404) == f"session '{UNKNOWN}' does not exist"


def test_a_failed_session_goes_on(api: Api) -> None:
    session_id = api.session()
    api.fail(session_id)
    answer = api.call("PUT", f"/v1/maintenance/{session_id}", {"state": "PLANNED_MAINTENANCE"})
    assert answer.json() == {
        "maintenance": f"http://127.0.0.1:12347/v1/maintenance/{session_id}",
        "session_id": session_id,
    }
    session = api.stored(session_id)
    assert session.resume_state is SessionState.PLANNED_MAINTENANCE
    assert session.open
    again = api.call("PUT", f"/v1/maintenance/{session_id}", {"state": "PLANNED_MAINTENANCE"})
    assert "already" in problem(again, 409)


def test_only_a_failed_session_can_go_on(api: Api) -> None:
    session_id = api.session()
    answer = api.call("PUT", f"/v1/maintenance/{session_id}", {"state": "SCALE_IN"})
    assert "has not failed" in problem(answer, 409)


def test_a_session_can_not_go_on_when_another_one_has_its_hosts(api: Api) -> None:
    first = api.session()
    api.fail(first)
    second = api.session(hosts=["compute-3"])
    answer = api.call("PUT", f"/v1/maintenance/{first}", {"state": "SCALE_IN"})
    assert problem(answer, 409) == f"host compute-3: session {second} has not ended"
    assert api.stored(first).resume_state is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "state is missing."),
        ({"state": "HALF_DONE"}, "state: 'HALF_DONE' is not valid; allowed: one of MAINTENANCE, "),
        ({"state": "MAINTENANCE_DONE"}, "state: 'MAINTENANCE_DONE'"),
        ({"state": None}, "state: None"),
        ({"state": "S" * 41}, "state"),
    ],
)
def test_a_session_goes_on_at_a_state_of_its_workflow(api: Api, body: Any, message: str) -> None:
    session_id = api.session()
    api.fail(session_id)
    answer = api.call("PUT", f"/v1/maintenance/{session_id}", body)
    assert problem(answer, 400).startswith(message)
    assert api.stored(session_id).resume_state is None


@pytest.mark.parametrize("state", list(SessionState))
def test_a_session_can_be_deleted_in_any_state_and_twice(api: Api, state: SessionState) -> None:
    session_id = api.session()
    api.set_session(session_id, state=state, open=not state.ended)
    for _ in range(2):
        answer = api.call("DELETE", f"/v1/maintenance/{session_id}")
        assert (answer.status_code, answer.json()) == (200, {})
    session = api.stored(session_id)
    assert session.delete_requested
    assert session.open
    lines = api.call("GET", f"/v1/maintenance/{session_id}/timeline").json()["timeline"]
    assert [line["what"] for line in lines].count("session.delete_requested") == 1


def test_a_deleted_session_is_unknown(api: Api) -> None:
    session_id = api.session()
    api.call("DELETE", f"/v1/maintenance/{session_id}")
    api.set_session(session_id, ending=Ending.DELETED)
    api.write(lambda c: sessions.close(c, session_id))
    for method in ("GET", "DELETE"):
        assert problem(api.call(method, f"/v1/maintenance/{session_id}"), 404)


def test_a_system_administrator_has_no_project_unless_configured(api: Api) -> None:
    answer = api.call("POST", "/v1/maintenance", session_body(), as_="system-admin")
    assert "X-Auth-Token" in problem(answer, 400)
    other = Api(admin_project_id="cloud-admins")
    answer = other.call("POST", "/v1/maintenance", session_body(), as_="system-admin")
    assert other.stored(answer.json()["session_id"]).admin_project_id == "cloud-admins"
    other.close()
