"""Who may call what."""

from typing import Any

import pytest

from fenix.api import NoAuthenticator, UnsafeListen, check_listen
from fenix.store import progress, subscriptions
from tests.api.harness import CHALLENGE, Api, problem, session_body
from tests.factories import make_instance, make_subscription

ADMINS = {"admin", "p1-admin", "system-admin"}
OBSERVERS = ADMINS | {"system-reader"}
P1 = {"p1", "p1-admin"}
EVERYBODY = OBSERVERS | {"p1", "p1-reader", "p2", "domain-admin"}
S = "4f1f4f7e-0000-4000-8000-000000000001"
SUB = "5f1f4f7e-0000-4000-8000-000000000001"

CALLS: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/v1/maintenance", session_body(workflow="nonesuch"), ADMINS),
    ("GET", "/v1/maintenance", None, OBSERVERS),
    ("GET", f"/v1/maintenance/{S}", None, OBSERVERS),
    ("GET", f"/v1/maintenance/{S}/detail", None, OBSERVERS),
    ("GET", f"/v1/maintenance/{S}/timeline", None, OBSERVERS),
    ("GET", f"/v1/maintenance/{S}/actions/a1", None, OBSERVERS),
    ("PUT", f"/v1/maintenance/{S}", {"state": "SCALE_IN"}, ADMINS),
    ("DELETE", f"/v1/maintenance/{S}", None, ADMINS),
    ("GET", f"/v1/maintenance/{S}/p1", None, OBSERVERS | P1),
    ("PUT", f"/v1/maintenance/{S}/p1", {"state": "ACK_MAINTENANCE"}, P1),
    ("PUT", f"/v1/maintenance/{S}/p1/i1", {"state": "ACK_PLANNED_MAINTENANCE"}, P1),
    ("PUT", "/v1/instance/i1", {"group_id": "g1", "project_id": "p1"}, ADMINS | P1),
    ("GET", "/v1/instance/i1", None, OBSERVERS | P1),
    ("DELETE", "/v1/instance/i1", None, ADMINS | P1),
    ("PUT", "/v1/instance_group/g1", {"project_id": "p1"}, ADMINS | P1),
    ("GET", "/v1/instance_group/g1", None, OBSERVERS | P1),
    ("DELETE", "/v1/instance_group/g1", None, ADMINS | P1),
    ("POST", "/v1/subscription", {"url": "http://x/", "project_id": "p1"}, ADMINS | P1),
    ("GET", "/v1/subscription?project_id=p1", None, OBSERVERS | P1),
    ("GET", f"/v1/subscription/{SUB}", None, OBSERVERS | P1),
    ("POST", f"/v1/subscription/{SUB}/test", None, ADMINS | P1),
    ("DELETE", f"/v1/subscription/{SUB}", None, ADMINS | P1),
]
OPEN = ["/", "/v1", "/healthz", "/openapi.json", "/docs"]


@pytest.fixture
def ready(api: Api) -> Api:
    """An API in which there is something of project p1 behind each call."""
    session_id = api.session(hosts=["compute-1"])
    api.add_project(S, "p1", "i1")
    api.write(progress.save_instance(S, make_instance("i1", project_id="p1")))
    api.write(lambda c: subscriptions.add(c, make_subscription(id=SUB, project_id="p1")))
    api.call("PUT", "/v1/instance/i1", {"group_id": "g1", "project_id": "p1"})
    api.call("PUT", "/v1/instance_group/g1", {"project_id": "p1"})
    assert session_id
    return api


@pytest.mark.parametrize(("method", "path", "body", "allowed"), CALLS)
def test_roles_decide(ready: Api, method: str, path: str, body: Any, allowed: set[str]) -> None:
    # Deleting comes to an end: who may not is asked first.
    for caller in sorted(EVERYBODY, key=lambda name: name in allowed):
        answer = ready.call(method, path, body, as_=caller)
        assert (answer.status_code != 403) == (caller in allowed), f"{caller}: {answer.text}"
        if caller not in allowed:
            assert problem(answer, 403)


@pytest.mark.parametrize(("method", "path", "body", "allowed"), CALLS)
@pytest.mark.parametrize("token", [None, "stolen", ""])
def test_without_a_valid_token_there_is_nothing(
    ready: Api, method: str, path: str, body: Any, allowed: set[str], token: str | None
) -> None:
    before = ready.rows()
    headers = {} if token is None else {"X-Auth-Token": token}
    answer = ready.call(method, path, body, as_=None, headers=headers)
    assert "X-Auth-Token" in problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == CHALLENGE
    assert ready.rows() == before


@pytest.mark.parametrize(("method", "path", "body", "allowed"), CALLS)
def test_who_calls_is_asked_before_what_is_sent(
    ready: Api, method: str, path: str, body: Any, allowed: set[str]
) -> None:
    if method in ("PUT", "POST"):
        answer = ready.call(method, path, as_=None, content=b"{")
        assert problem(answer, 401)


@pytest.mark.parametrize("path", OPEN)
def test_what_anybody_may_ask(api: Api, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert api.call(method, path, as_=None).status_code == 200


def test_roles_are_configured() -> None:
    api = Api(admin_roles=("_member_",), project_roles=("reader",))
    assert api.call("GET", "/v1/maintenance", as_="p2").is_success
    assert problem(api.call("GET", "/v1/maintenance", as_="admin"), 403)
    answer = api.call("PUT", "/v1/instance/i1", {"group_id": ""}, as_="p1-reader")
    assert answer.is_success
    assert problem(api.call("PUT", "/v1/instance/i1", {"group_id": ""}, as_="p1"), 403)
    api.close()


@pytest.fixture
def trial() -> Any:
    made = Api(NoAuthenticator(frozenset({"member"})), admin_project_id="admin")
    yield made
    made.close()


def test_without_keystone_everybody_is_the_administrator(trial: Api) -> None:
    session_id = trial.session()
    assert trial.stored(session_id).admin_project_id == "admin"
    trial.add_project(session_id, "p1", "i1")
    path = f"/v1/maintenance/{session_id}/p1"
    assert trial.call("PUT", path, {"state": "ACK_MAINTENANCE"}, as_="any token").is_success
    assert trial.call("PUT", path, {"state": "ACK_MAINTENANCE"}, as_=None).is_success


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
