"""`fenix subscription` against a real API and a real receiver."""

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from standardwebhooks import Webhook

from tests.cli.harness import Fenix, Processes, Served, free_port, is_ready, write_config


class Receiver(BaseHTTPRequestHandler):
    """Takes messages."""

    bodies: ClassVar[list[Any]] = []
    raw: ClassVar[list[tuple[bytes, dict[str, str]]]] = []

    def do_POST(self) -> None:
        """Takes one."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.raw.append((body, dict(self.headers.items())))
        self.bodies.append(json.loads(body))
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
    assert listed == {name: value for name, value in made.items() if name != "secret"}
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


@pytest.mark.services
def test_keys_secrets_and_their_replacement(
    fenix: Fenix, tmp_path: Path, start: Processes, receiver: str
) -> None:
    """With a key, from the first secret to the last trace of the first key."""
    keys = tmp_path / "keys"
    assert "holds 1 key" in fenix("key", "add", str(keys)).out
    assert keys.stat().st_mode & 0o777 == 0o600
    own = tmp_path / "secret"
    own.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    port = free_port()
    config = write_config(tmp_path, port, subscriptions=f"key_file = {keys}")
    url = f"http://127.0.0.1:{port}/v1"
    serve = ("serve", "--config-file", str(config))
    serving = start(*serve)
    serving.until(lambda: is_ready(url), "the service")

    made = fenix("subscription", "create", receiver, "--project", "p1", "--url", url)
    ident = made.out.strip()
    secret = made.err.partition("secret, not shown again: ")[2].strip()
    assert secret.startswith("whsec_")
    fenix("subscription", "test", ident, "--url", url)
    Webhook(secret).verify(*Receiver.raw[-1])
    told = fenix("subscription", "show", ident, "--url", url)
    assert secret not in told.out
    assert "OK" in told.out

    changed = fenix("subscription", "rotate", ident, "--secret-file", str(own), "--url", url)
    assert changed.out.strip() == ident
    fenix("subscription", "test", ident, "--url", url)
    for one in (secret, own.read_text().strip()):
        Webhook(one).verify(*Receiver.raw[-1])

    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert "holds 2 keys" in fenix("key", "add", str(keys)).out
    assert "1 subscriptions have" in fenix("key", "reseal", "--config-file", str(config)).out
    keys.write_text(keys.read_text().splitlines()[0])
    start(*serve).until(lambda: is_ready(url), "the service")
    fenix("subscription", "test", ident, "--url", url)
    Webhook(own.read_text().strip()).verify(*Receiver.raw[-1])
