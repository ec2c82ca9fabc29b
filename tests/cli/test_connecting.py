"""Where commands look for Fenix, and what they say when it is not there."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests.cli.harness import Fenix, Served, free_port


class Cloud(BaseHTTPRequestHandler):
    """A Keystone whose catalog leads back here, and a Fenix without sessions."""

    tokens: ClassVar[list[str | None]] = []
    catalog: ClassVar[bool] = True

    def do_GET(self) -> None:
        """Keystone's versions, or Fenix's list."""
        base = f"http://{self.headers['Host']}"
        if self.path.rstrip("/") == "/v3":
            links = [{"rel": "self", "href": f"{base}/v3/"}]
            self._answer(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})
        elif self.path == "/v1/maintenance":
            self.tokens.append(self.headers["X-Auth-Token"])
            self._answer(200, {"sessions": []})
        else:
            self._answer(404, {"error": {"code": 404, "title": "Not found", "message": "nothing"}})

    def do_POST(self) -> None:
        """A token."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        password = asked["auth"]["identity"]["password"]["user"]["password"]
        if password != "right":
            error = {"code": 401, "title": "Unauthorized", "message": "wrong password"}
            self._answer(401, {"error": error})
            return
        endpoint = {
            "interface": "public",
            "region": "one",
            "region_id": "one",
            "url": f"http://{self.headers['Host']}/v1",
            "id": "e",
        }
        entry = {"type": "maintenance", "name": "fenix", "id": "s", "endpoints": [endpoint]}
        token = {
            "methods": ["password"],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2020-01-01T00:00:00.000000Z",
            "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "catalog": [entry] if self.catalog else [],
        }
        self._answer(201, {"token": token}, "the-token")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _answer(self, status: int, body: Any, token: str | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if token:
            self.send_header("X-Subject-Token", token)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def keystone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a Keystone; the environment has an account there."""
    Cloud.tokens.clear()
    Cloud.catalog = True
    with ThreadingHTTPServer(("127.0.0.1", 0), Cloud) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        account = {
            "OS_AUTH_URL": f"{url}/v3",
            "OS_USERNAME": "admin",
            "OS_PASSWORD": "right",
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": "one",
        }
        for name, value in account.items():
            monkeypatch.setenv(name, value)
        yield url
        server.shutdown()
        thread.join()


def test_the_catalog_says_where_and_the_token_who(fenix: Fenix, keystone: str) -> None:
    assert fenix("session", "list", "--json").json == []
    assert Cloud.tokens == ["the-token"]


def test_a_url_alone_needs_no_token(fenix: Fenix, keystone: str) -> None:
    assert fenix("session", "list", "--json", "--url", keystone).json == []
    assert Cloud.tokens == [None]


def test_a_wrong_password(fenix: Fenix, keystone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "wrong")
    assert "wrong password" in fenix("session", "list", code=1).err


def test_a_catalog_without_fenix(fenix: Fenix, keystone: str) -> None:
    Cloud.catalog = False
    assert "catalog" in fenix("session", "list", code=1).err


def test_an_unknown_account(fenix: Fenix) -> None:
    assert "no-such" in fenix("session", "list", "--os-cloud", "no-such", code=1).err


def test_nobody_listens(fenix: Fenix) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = fenix("session", "list", "--url", url, code=1).err
    assert f"can't be reached at {url}/v1" in said


def test_somebody_else_answers(fenix: Fenix, keystone: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=_answer_plainly, args=(other,))
        answering.start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        assert "not Fenix" in fenix("session", "list", "--url", url, code=1).err
        answering.join()


def _answer_plainly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")


@pytest.mark.parametrize("url", ["nonsense", "http://", "http://[bad", "ftp://host/v1"])
def test_no_url(fenix: Fenix, url: str) -> None:
    assert fenix("session", "list", "--url", url, code=1).err.startswith("fenix: ")


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/"])
def test_endpoints_with_and_without_version(fenix: Fenix, served: Served, tail: str) -> None:
    url = served.url.removesuffix("/v1") + tail
    assert fenix("session", "list", "--json", "--url", url).json == []
