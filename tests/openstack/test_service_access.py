"""Who may call a Fenix that runs behind the real Keystone, over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from devcloud.settings import Settings
from keystoneauth1.adapter import Adapter

from tests.openstack import witness
from tests.openstack.application import tenant
from tests.openstack.deployment import fenix
from tests.openstack.lab import utcnow
from tests.openstack.recording import recording

pytestmark = pytest.mark.openstack

LATER = (utcnow() + timedelta(days=365)).isoformat(" ", "seconds")


@dataclass(frozen=True)
class Called:
    """A running API and tokens of three callers."""

    url: str
    session_id: str
    project_id: str
    administrator: str
    member: str
    stranger: str

    def call(self, method: str, path: str, token: str | None, body: object = None) -> int:
        headers = {} if token is None else {"X-Auth-Token": token}
        answer = httpx.request(method, self.url + path, json=body, headers=headers, timeout=30)
        if answer.is_error:
            error = answer.json()["error"]
            assert error["code"] == answer.status_code
            assert error["title"]
            assert error["message"]
        return answer.status_code


@pytest.fixture(scope="module")
def api(devcloud: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Called]:
    """An API without an engine, so that its session stays as it was created."""
    admin = witness.administrator(devcloud.auth_url)
    with (
        tenant(devcloud.auth_url, admin) as owner,
        tenant(devcloud.auth_url, admin) as other,
        fenix(devcloud, tmp_path_factory.mktemp("access") / "fenix") as service,
        recording() as recorder,
        service.running(["api"], {"api": recorder}),
    ):
        fresh = witness.administrator(devcloud.auth_url)
        body = {"workflow": "default", "maintenance_at": LATER}
        made = Adapter(fresh, "maintenance").post("/maintenance", json=body).json()
        yield Called(
            url=service.url,
            session_id=made["session_id"],
            project_id=owner.project_id,
            administrator=str(fresh.get_token()),
            member=str(owner.session().get_token()),
            stranger=str(other.session().get_token()),
        )
        fresh.session.close()
    admin.session.close()


def _calls(api: Called) -> list[tuple[str, str, object]]:
    """A call of each kind, for administrators first."""
    session = f"/maintenance/{api.session_id}"
    body = {"workflow": "default", "maintenance_at": LATER}
    return [
        ("POST", "/maintenance", body),
        ("GET", "/maintenance", None),
        ("GET", session, None),
        ("GET", f"{session}/detail", None),
        ("PUT", session, {"state": "MAINTENANCE"}),
        ("DELETE", session, None),
        ("GET", f"{session}/{api.project_id}", None),
        ("PUT", f"{session}/{api.project_id}", {"state": "ACK_MAINTENANCE"}),
        ("PUT", f"{session}/{api.project_id}/{uuid4()}", {"state": "ACK_MAINTENANCE"}),
        ("GET", "/subscription", None),
    ]


def test_without_a_token(api: Called) -> None:
    assert [api.call(method, path, None, body) for method, path, body in _calls(api)] == [401] * 10


@pytest.mark.parametrize("token", ["", "wrong", uuid4().hex, "gAAAAAB" + 180 * "x"])
def test_with_a_wrong_token(api: Called, token: str) -> None:
    assert [api.call(method, path, token, body) for method, path, body in _calls(api)] == [401] * 10


def test_a_project_may_not_administer(api: Called) -> None:
    calls = _calls(api)[:6]
    assert [api.call(method, path, api.member, body) for method, path, body in calls] == [403] * 6


def test_a_project_may_not_see_or_answer_for_another(api: Called) -> None:
    calls = _calls(api)[6:9]
    assert [api.call(method, path, api.stranger, body) for method, path, body in calls] == [403] * 3
    subscription = {"url": "http://127.0.0.1:1/", "project_id": api.project_id}
    assert api.call("POST", "/subscription", api.stranger, subscription) == 403


def test_an_administrator_may_see_but_not_answer_for_a_project(api: Called) -> None:
    """404, since the session has not met the project: 403 would come first."""
    calls = _calls(api)[6:9]
    found = [api.call(method, path, api.administrator, body) for method, path, body in calls]
    assert found == [404, 403, 403]
    assert api.call("GET", f"/maintenance/{api.session_id}", api.administrator) == 200


def test_a_project_may_speak_for_itself(api: Called) -> None:
    [see, *_] = _calls(api)[6:9]
    assert api.call(see[0], see[1], api.member) == 404
    assert api.call("GET", "/subscription", api.member) == 200


def test_bad_input_of_an_administrator(api: Called) -> None:
    good = {"workflow": "default", "maintenance_at": LATER}
    for change in (
        {"workflow": None},
        {"workflow": "nothing"},
        {"maintenance_at": None},
        {"maintenance_at": "tomorrow"},
        {"hosts": ["compute-99"]},
        {"metadata": {"a": "b" * 300}},
    ):
        assert api.call("POST", "/maintenance", api.administrator, good | change) == 400, change
    assert api.call("GET", f"/maintenance/{uuid4()}", api.administrator) == 404
