"""`fenix subscription` against a real API and a real receiver."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests.cli.harness import Fenix, Served, free_port


class Receiver(BaseHTTPRequestHandler):
    """Takes messages."""

    bodies: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        """Takes one."""
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    """Where messages are taken."""
    Receiver.bodies.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/messages"
        server.shutdown()
        thread.join()


def test_from_creation_to_deletion(fenix: Fenix, served: Served, receiver: str) -> None:
    made = fenix("subscription", "create", receiver, "--project", "p1", "--json").json
    (listed,) = fenix("subscription", "list", "--json").json
    assert listed == made
    assert (made["project_id"], made["format"], made["url"]) == ("p1", "aodh", receiver)
    assert made["event_types"] == ["maintenance.scheduled"]
    assert "was taken" in fenix("subscription", "test", made["id"]).out
    assert Receiver.bodies[0]["alarm_name"] == "maintenance.scheduled"
    fenix("subscription", "delete", made["id"])
    assert fenix("subscription", "list", "--json").json == []


def test_other_formats_and_messages(fenix: Fenix, served: Served, receiver: str) -> None:
    ident = fenix(
        "subscription", "create", receiver, "--format", "cloudevents",
        "--event-type", "maintenance.host", "--event-type", "maintenance.session",
    ).out.strip()  # fmt: skip
    fenix("subscription", "test", ident)
    assert Receiver.bodies[0]["specversion"] == "1.0"
    table = fenix("subscription", "list", "--project", "admin").out
    assert "maintenance.host, maintenance.session" in table
    assert fenix("subscription", "list", "--project", "p2", "--json").json == []


def test_a_test_that_nobody_takes(fenix: Fenix, served: Served) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    ident = fenix("subscription", "create", url, "--project", "p1").out.strip()
    assert "was not taken" in fenix("subscription", "test", ident, code=1).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "ftp://192.0.2.1/"), "url"),
        (("create", "http://192.0.2.1/", "--format", "xml"), "format"),
        (("create", "http://192.0.2.1/", "--event-type", "news"), "event_types"),
        (("delete", "no-such"), "no-such"),
        (("test", "no-such"), "no-such"),
    ],
)
def test_refusals(fenix: Fenix, served: Served, arguments: tuple[str, ...], said: str) -> None:
    assert said in fenix("subscription", *arguments, code=1).err
