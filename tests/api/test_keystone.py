"""The bridge to keystonemiddleware where Keystone is of no help (see tests/openstack as well)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fenix.api import authenticator
from fenix.api.keystone import KeystoneAuthenticator
from fenix.config import load
from tests.api.harness import Api, problem

FILE = """
[api]
auth_timeout = {limit}
[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:{port}/v3
www_authenticate_uri = http://keystone.example/v3
username = fenix
password = secret
project_name = service
user_domain_name = Default
project_domain_name = Default
http_request_max_retries = 0
"""


@contextmanager
def guarded(tmp_path: Path, port: int, limit: float = 5) -> Iterator[Api]:
    """An API whose Keystone would be at a port."""
    file = tmp_path / "fenix.conf"
    file.write_text(FILE.format(port=port, limit=limit))
    checks = authenticator(load(files=[file]))
    assert isinstance(checks, KeystoneAuthenticator)
    api = Api(checks)
    try:
        yield api
    finally:
        api.close()
        checks.close()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize("token", [None, "", "t" * 9000, "\u00e9", "a\tb"])
def test_what_can_be_no_token_is_refused_without_asking(
    tmp_path: Path, closed_port: int, token: str | None
) -> None:
    with guarded(tmp_path, closed_port) as api:
        headers = {} if token is None else {"X-Auth-Token": token.encode("latin-1")}
        answer = api.call("GET", "/v1/maintenance", as_=None, headers=headers)
        assert "X-Auth-Token" in problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://keystone.example/v3"'


def test_identity_headers_of_a_client_count_for_nothing(tmp_path: Path, closed_port: int) -> None:
    with guarded(tmp_path, closed_port) as api:
        forged = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-Project-Id": "p1"}
        assert problem(api.call("GET", "/v1/maintenance", as_=None, headers=forged), 401)


def test_a_keystone_that_is_away_is_told(tmp_path: Path, closed_port: int) -> None:
    with guarded(tmp_path, closed_port) as api:
        answer = api.call("GET", "/v1/maintenance", as_="a-token")
        assert problem(answer, 503) == "The token could not be checked."
        assert answer.headers["Retry-After"]


def test_a_keystone_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        guarded(tmp_path, silent.getsockname()[1], limit=1) as api,
    ):
        answer = api.call("GET", "/v1/maintenance", as_="a-token")
        assert problem(answer, 503) == "Keystone did not check the token within 1 s."
        assert api.call("GET", "/healthz", as_=None).status_code == 200
