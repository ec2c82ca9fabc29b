"""The API behind the real server, over real connections."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fenix.service import http as service_http
from fenix.service.http import HttpServer, listen
from tests.api.harness import Api, session_body

SECONDS = 30.0


@contextmanager
def serving(api: Api) -> Iterator[int]:
    """Serves in a thread; gives the port."""
    with listen("127.0.0.1", 0) as listening:
        port: int = listening.getsockname()[1]
        server = HttpServer(api.app, listening)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
        thread.start()
        try:
            yield port
        finally:
            server.stop()
            thread.join(SECONDS)
            assert not thread.is_alive()


@pytest.fixture
def port(api: Api) -> Iterator[int]:
    with serving(api) as port:
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    yield connection
    connection.close()


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    **headers: str,
) -> http.client.HTTPResponse:
    connection.request(method, path, body, {"X-Auth-Token": "admin"} | headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    return answer


def test_no_answer_waits_for_the_acknowledgement_of_its_head(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    original = service_http._Protocol.connection_made

    def connection_made(self: service_http._Protocol, transport: asyncio.Transport) -> None:
        original(self, transport)
        accepted = transport.get_extra_info("socket")
        found.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(service_http._Protocol, "connection_made", connection_made)
    with serving(api) as port:
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        assert call(one, "GET", "/healthz").status == 200
        one.close()
    assert found
    assert all(found)


def test_calls_share_a_connection_with_and_without_a_slash(
    connection: http.client.HTTPConnection,
) -> None:
    body = json.dumps(session_body()).encode()
    made = call(connection, "POST", "/v1/maintenance/", body)
    assert made.status == 200
    here = connection.sock.getsockname()
    session_id = json.loads(made.body)["session_id"]  # type: ignore[attr-defined]
    for path in (f"/v1/maintenance/{session_id}", f"/v1/maintenance/{session_id}/"):
        shown = call(connection, "GET", path)
        assert json.loads(shown.body)["state"] == "MAINTENANCE"  # type: ignore[attr-defined]
    head = call(connection, "HEAD", "/healthz")
    assert (head.status, head.body) == (200, b"")  # type: ignore[attr-defined]
    deleted = call(connection, "DELETE", f"/v1/maintenance/{session_id}")
    assert (deleted.status, deleted.body) == (200, b"{}")  # type: ignore[attr-defined]
    assert connection.sock.getsockname() == here


@pytest.mark.parametrize("path", ["/v1/maintenance", "/v1/maintenance/x", "/v1/instance/i"])
def test_a_body_that_is_too_large_is_answered(
    connection: http.client.HTTPConnection, path: str
) -> None:
    method = "POST" if path == "/v1/maintenance" else "PUT"
    body = b'{"x": "' + b"y" * (3 * 1024 * 1024) + b'"}'
    answer = call(connection, method, path, body)
    assert answer.status == 413
    error = json.loads(answer.body)["error"]  # type: ignore[attr-defined]
    assert error["message"].startswith("The body is larger than 1048576 bytes;")
    connection.close()
    assert call(connection, "GET", "/healthz").status == 200


def test_a_chunked_body_that_is_too_large_is_answered_and_not_awaited(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        raw.sendall(
            b"POST /v1/maintenance HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(16):
            raw.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        raw.sendall(b"1\r\n \r\n")  # a byte too many, and no end
        answer = b""
        while data := _receive(raw):
            answer += data
        assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("header", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_not_awaited(header: bytes) -> None:
    hasty = Api(body_timeout=0.1)
    with serving(hasty) as port, socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        raw.sendall(
            b"POST /v1/maintenance HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n"
            + header
            + b"\r\n\r\n"
        )
        answer = b""
        while data := _receive(raw):  # until the server hangs up
            answer += data
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the limit is [api] body_timeout" in answer
    hasty.close()


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-",
        b"PUT /v1/instance/i HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "a body that nobody wants"],
)
def test_who_sends_no_request_does_not_hold_a_connection(
    api: Api, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """Whoever reaches the port could hold all of them: no token is needed for that."""
    monkeypatch.setattr(service_http, "HEAD_SECONDS", 0.3)
    with serving(api) as port, socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        raw.settimeout(0.02)
        raw.sendall(begin)
        drips = 0
        with contextlib.suppress(ConnectionError):
            while True:  # until the server hangs up
                try:
                    if not raw.recv(65536):
                        break
                except TimeoutError:
                    raw.sendall(b"y" * bool(begin))
                    drips += 1
                    assert drips < SECONDS / 0.02


def _receive(raw: socket.socket) -> bytes:
    try:
        return raw.recv(65536)
    except ConnectionResetError:
        return b""


def test_a_client_that_hangs_up_harms_nobody(
    port: int, connection: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        raw.sendall(
            b"POST /v1/maintenance HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n"
            b"Content-Length: 500\r\n\r\n{"
        )
    assert call(connection, "GET", "/healthz").status == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_no_request_is_smuggled_in_another_ones_body(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        raw.sendall(
            b"PUT /v1/instance/i HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /v1/maintenance HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n\r\n"
        )
        answer = b""
        while data := _receive(raw):  # until the server hangs up
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1/maintenance/%ff%fe/%00 HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n\r\n",
        b"GET /v1/maintenance/a%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n\r\n",
        b"GET //v1//maintenance HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n\r\n",
        b"GET http://elsewhere/v1/x HTTP/1.1\r\nHost: x\r\nX-Auth-Token: \xff\xfe\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /v1/maintenance HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_odd_requests_get_no_5xx(port: int, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as raw:
        with contextlib.suppress(OSError):  # it may have hung up already
            raw.sendall(request_)
            raw.shutdown(socket.SHUT_WR)
        answer = b""
        while data := _receive(raw):
            answer += data
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
