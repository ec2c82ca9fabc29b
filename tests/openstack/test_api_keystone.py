"""The API's callers as a real Keystone knows them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from devcloud.settings import PASSWORD, Settings
from keystoneauth1.session import Session

from fenix.api.keystone import KeystoneAuthenticator
from fenix.config import load
from tests.api.calls import CALLS, fill
from tests.api.harness import Api, problem
from tests.openstack.expired import expired

pytestmark = pytest.mark.openstack

FILE = """
[keystone_authtoken]
auth_type = password
auth_url = {auth_url}
www_authenticate_uri = {auth_url}
username = admin
password = {password}
project_name = admin
user_domain_name = Default
project_domain_name = Default
"""


class Keystone:
    """What an administrator of Keystone does, and tokens of anybody."""

    def __init__(self, url: str, admin: Session) -> None:
        self._url = url
        self._admin = admin
        self._made: list[str] = []
        self.user, self.password = f"fenix-{uuid4().hex[:8]}", uuid4().hex
        body = {"user": {"name": self.user, "password": self.password, "domain_id": "default"}}
        self.user_id = self._create("users", body)

    def project(self, role: str) -> str:
        """Makes a project on which the user has a role."""
        body = {"project": {"name": f"fenix-{uuid4().hex[:8]}", "domain_id": "default"}}
        project = self._create("projects", body)
        self._grant(f"/projects/{project}", role)
        return project

    def system(self, role: str) -> None:
        """Gives the user a role on the system."""
        self._grant("/system", role)

    def domain(self, role: str) -> dict[str, object]:
        """Gives the user a role on its domain; the scope of a token for it."""
        self._grant("/domains/default", role)
        return {"domain": {"id": "default"}}

    def token(self, scope: dict[str, object]) -> str:
        """A token of the user."""
        user = {
            "name": self.user,
            "password": self.password,
            "domain": {"id": "default"},
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": scope}}
        answer = httpx.post(f"{self._url}/auth/tokens", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def revoke(self, token: str) -> None:
        self._admin.delete(f"{self._url}/auth/tokens", headers={"X-Subject-Token": token})

    def clean(self) -> None:
        """Takes away all that was made."""
        for path in reversed(self._made):
            self._admin.delete(f"{self._url}/{path}")

    def _create(self, kind: str, body: dict[str, object]) -> str:
        made = self._admin.post(f"{self._url}/{kind}", json=body).json()[kind[:-1]]["id"]
        self._made.append(f"{kind}/{made}")
        return str(made)

    def _grant(self, where: str, role: str) -> None:
        (found,) = self._admin.get(f"{self._url}/roles?name={role}").json()["roles"]
        self._admin.put(f"{self._url}{where}/users/{self.user_id}/roles/{found['id']}")


@pytest.fixture
def keystone(devcloud: Settings, admin: Session) -> Iterator[Keystone]:
    made = Keystone(devcloud.auth_url, admin)
    yield made
    made.clean()


@pytest.fixture
def api(devcloud: Settings, tmp_path: Path) -> Iterator[Api]:
    """The API as configured for this Keystone, over a simulated cloud."""
    file = tmp_path / "fenix.conf"
    file.write_text(FILE.format(auth_url=devcloud.auth_url, password=PASSWORD))
    checks = KeystoneAuthenticator(load(files=[file]), 30)
    made = Api(checks)
    yield made
    made.close()
    checks.close()


def on_project(project: str) -> dict[str, object]:
    return {"project": {"id": project}}


ON_SYSTEM: dict[str, object] = {"system": {"all": True}}


def test_an_administrator_of_the_cloud(api: Api, admin: Session) -> None:
    token = admin.get_token()
    answer = api.call("GET", "/v1/maintenance", as_=token)
    assert answer.json() == {"sessions": [], "session_id": []}
    body = {"workflow": "default", "maintenance_at": "2030-01-01 12:00:30"}
    made = api.call("POST", "/v1/maintenance/", body, as_=token)
    assert made.status_code == 200, made.text
    session = api.stored(made.json()["session_id"])
    assert session.admin_project_id == admin.get_project_id()


def test_a_member_answers_for_its_project_only(
    api: Api, keystone: Keystone, admin: Session
) -> None:
    body = {"workflow": "default", "maintenance_at": "2030-01-01 12:00:30"}
    made = api.call("POST", "/v1/maintenance", body, as_=admin.get_token()).json()["session_id"]
    mine, other = keystone.project("member"), keystone.project("member")
    for project in (mine, other):
        api.add_project(made, project, "i1")
    token = keystone.token(on_project(mine))
    path = f"/v1/maintenance/{made}/"
    assert api.call("GET", path + mine, as_=token).json() == {"instance_ids": ["i1"]}
    ack = {"state": "ACK_MAINTENANCE"}
    assert api.call("PUT", path + mine, ack, as_=token).json() == {}
    assert problem(api.call("PUT", path + other, ack, as_=token), 403)
    assert problem(api.call("GET", path + other, as_=token), 403)
    assert problem(api.call("GET", path, as_=token), 403)
    assert problem(api.call("DELETE", path, as_=token), 403)
    # The administrator may look, and not answer for it.
    assert api.call("GET", path + mine, as_=admin.get_token()).is_success
    assert problem(api.call("PUT", path + mine, ack, as_=admin.get_token()), 403)


def test_a_reader_of_a_project_answers_nothing(api: Api, keystone: Keystone) -> None:
    token = keystone.token(on_project(keystone.project("reader")))
    answer = api.call("PUT", "/v1/instance/i1", {"group_id": ""}, as_=token)
    assert problem(answer, 403)


def test_a_reader_of_the_system_looks_and_touches_nothing(api: Api, keystone: Keystone) -> None:
    keystone.system("reader")
    token = keystone.token(ON_SYSTEM)
    assert api.call("GET", "/v1/maintenance", as_=token).is_success
    assert problem(api.call("POST", "/v1/maintenance", {}, as_=token), 403)


def test_an_administrator_of_the_system_has_no_project(api: Api, keystone: Keystone) -> None:
    keystone.system("admin")
    token = keystone.token(ON_SYSTEM)
    body = {"workflow": "default", "maintenance_at": "2030-01-01 12:00:30"}
    assert "X-Auth-Token" in problem(api.call("POST", "/v1/maintenance", body, as_=token), 400)


@pytest.mark.parametrize("token", ["nonsense", "gAAAAABm" + "x" * 180, "../../v3/users"])
def test_what_keystone_does_not_know(api: Api, devcloud: Settings, token: str) -> None:
    answer = api.call("GET", "/v1/maintenance", as_=token)
    assert problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{devcloud.auth_url}"'


def test_a_revoked_token(api: Api, keystone: Keystone) -> None:
    token = keystone.token(on_project(keystone.project("member")))
    keystone.revoke(token)
    assert problem(api.call("GET", "/v1/subscription", as_=token), 401)


def test_no_call_takes_a_token_that_has_expired_or_was_revoked(
    api: Api, keystone: Keystone, devcloud: Settings, admin: Session
) -> None:
    session_id = fill(api)
    before = api.everything()
    revoked = keystone.token(on_project(keystone.project("admin")))
    keystone.revoke(revoked)
    old = expired(devcloud, admin.get_token())
    for call in CALLS:
        for token in (old, revoked):
            assert problem(call.make(api, session_id, token), 401), call.route
    assert api.everything() == before


def test_every_call_with_real_tokens_of_every_kind(
    api: Api, keystone: Keystone, admin: Session
) -> None:
    """What test_access tries with made-up callers."""
    session_id = fill(api)
    tokens = {
        "p2": keystone.token(on_project(keystone.project("member"))),
        "p2-reader": keystone.token(on_project(keystone.project("reader"))),
        "domain-admin": keystone.token(keystone.domain("admin")),
    }
    for role in ("reader", "admin"):  # the user's roles add up
        keystone.system(role)
        tokens[f"system-{role}"] = keystone.token(ON_SYSTEM)
        # A token has the roles of when it is checked: so each kind before the next role.
        for call in CALLS:
            if call.method == "DELETE" and role == "admin":
                continue
            answer = call.make(api, session_id, tokens[f"system-{role}"])
            assert (answer.status_code != 403) == (f"system-{role}" in call.allowed), call.route
    for name in ("p2", "p2-reader", "domain-admin"):
        for call in CALLS:
            assert problem(call.make(api, session_id, tokens[name]), 403), f"{name} {call.route}"
    for call in CALLS:
        answer = call.make(api, session_id, admin.get_token())
        assert (answer.status_code != 403) == ("admin" in call.allowed), call.route


def test_a_checked_token_is_remembered_for_a_while(
    devcloud: Settings, keystone: Keystone, tmp_path: Path
) -> None:
    """And so one that was revoked serves on, no longer than `token_cache_time`."""
    for seconds, status in ((300, 200), (-1, 401)):
        file = tmp_path / "fenix.conf"
        text = FILE.format(auth_url=devcloud.auth_url, password=PASSWORD)
        file.write_text(f"{text}\ntoken_cache_time = {seconds}\n")
        checks = KeystoneAuthenticator(load(files=[file]), 30)
        api = Api(checks)
        token = keystone.token(on_project(keystone.project("member")))
        assert api.call("GET", "/v1/subscription", as_=token).is_success
        keystone.revoke(token)
        assert api.call("GET", "/v1/subscription", as_=token).status_code == status
        api.close()
        checks.close()


def test_many_calls_at_one_time(api: Api, admin: Session) -> None:
    """More than there are threads."""
    headers = {"X-Auth-Token": admin.get_token()}

    async def all_at_once() -> list[httpx.Response]:
        calls = (api.client.get("/v1/maintenance", headers=headers) for _ in range(40))
        return await asyncio.gather(*calls)

    assert {answer.status_code for answer in api.runner.run(all_at_once())} == {200}
