"""Who may call what: every call, by every kind of caller."""

from collections.abc import Iterator
from typing import Any

import pytest

from fenix.api import NoAuthenticator, UnsafeListen, check_listen
from tests.api.calls import CALLS, OPEN, SECRETS, STRANGERS, Call, fill, routes
from tests.api.harness import CALLERS, CHALLENGE, Api, problem, session_body


def test_every_route_is_in_the_table(api: Api) -> None:
    assert routes(api.app) == {call.route for call in CALLS} | {f"GET {path}" for path in OPEN}


each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.route)


@each_call
def test_roles_decide(api: Api, call: Call) -> None:
    session_id = fill(api)
    # Deleting comes to an end: who may not is asked first.
    for caller in sorted(CALLERS, key=lambda name: name in call.allowed):
        answer = call.make(api, session_id, caller)
        assert (answer.status_code != 403) == (caller in call.allowed), f"{caller}: {answer.text}"
        if caller not in call.allowed:
            assert problem(answer, 403)


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Api, str]]:
    """An API with something of project p1 behind each call, for those who may not touch it."""
    made = Api()
    yield made, fill(made)
    made.close()


@each_call
def test_another_project_sees_and_changes_nothing(filled: tuple[Api, str], call: Call) -> None:
    api, session_id = filled
    before = api.everything()
    for caller in STRANGERS:
        answer = call.make(api, session_id, caller)
        assert problem(answer, 403)
        asked = call.path.format(session=session_id)
        for secret in SECRETS:
            assert secret in asked or secret not in answer.text + str(answer.headers)
    assert api.everything() == before


@each_call
def test_without_a_valid_token_there_is_nothing(filled: tuple[Api, str], call: Call) -> None:
    api, session_id = filled
    before = api.everything()
    for headers in ({}, {"X-Auth-Token": ""}, {"X-Auth-Token": "stolen"}):
        answer = call.make(api, session_id, None, headers=headers)
        assert "X-Auth-Token" in problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == CHALLENGE
    if call.body:  # who calls is asked before what is sent
        path = call.path.format(session=session_id)
        assert problem(api.call(call.method, path, as_=None, content=b"{"), 401)
    assert api.everything() == before


@pytest.mark.parametrize("path", OPEN)
def test_what_anybody_may_ask(api: Api, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert api.call(method, path, as_=None).status_code in (200, 503)


def test_a_list_shows_what_is_the_callers_own(filled: tuple[Api, str]) -> None:
    api, _ = filled
    for caller in STRANGERS:
        assert api.call("GET", "/v1/subscription", as_=caller).json() == {"subscriptions": []}


@pytest.fixture
def trial() -> Any:
    made = Api(NoAuthenticator(), admin_project_id="admin")
    made.client.base_url = "http://127.0.0.1:12347"
    yield made
    made.close()


def test_without_keystone_everybody_is_the_administrator(trial: Api) -> None:
    session_id = trial.session()
    assert trial.stored(session_id).admin_project_id == "admin"
    trial.add_project(session_id, "p1", "i1")
    path = f"/v1/maintenance/{session_id}/p1"
    assert trial.call("PUT", path, {"state": "ACK_MAINTENANCE"}, as_="any token").is_success
    assert trial.call("PUT", path, {"state": "ACK_MAINTENANCE"}, as_=None).is_success


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Host": "rebound.example:12347"},
        {"Host": "192.0.2.1"},
    ],
)
def test_without_keystone_a_page_in_a_browser_can_do_nothing(
    trial: Api, headers: dict[str, str]
) -> None:
    before = trial.everything()
    answer = trial.call("POST", "/v1/maintenance", session_body(), as_=None, headers=headers)
    assert "only programs on this machine" in problem(answer, 403)
    assert trial.everything() == before


def test_without_keystone_one_can_act_as_a_project(trial: Api) -> None:
    session_id = trial.session()
    trial.add_project(session_id, "p1", "i1")

    def call(method: str, path: str, project: str, body: Any = None) -> int:
        headers = {"X-Project-Id": project}
        return trial.call(method, path, body, as_=None, headers=headers).status_code

    ack = {"state": "ACK_MAINTENANCE"}
    assert call("PUT", f"/v1/maintenance/{session_id}/p1", "p1", ack) == 200
    assert call("PUT", f"/v1/maintenance/{session_id}/p1", "p2", ack) == 403
    assert call("GET", "/v1/maintenance", "p1") == 403
    assert call("PUT", "/v1/instance/i1", "p1", {"group_id": "g"}) == 200
    assert call("GET", "/v1/instance/i1", "p2") == 403
    assert call("GET", "/v1/maintenance", "p 1") == 400
    assert call("GET", "/v1/maintenance", "p" * 65) == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_keystone(host: str) -> None:
    check_listen(host, "none")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "fenix.example", ""])
def test_a_network_needs_keystone(host: str) -> None:
    check_listen(host, "keystone")
    with pytest.raises(UnsafeListen, match=r"\[api\] host: .* allowed: 127"):
        check_listen(host, "none")
