"""A forward proxy that writes down every request: what a process says to others, and when.

Given to a process in `http_proxy`, it shows from outside how often that process calls the cloud and
when an answer of its left, with nothing changed in the process itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.openstack.lab import utcnow

LIMIT = 120.0
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; times are naive UTC."""

    method: str
    url: str
    body: str
    sent: datetime
    answered: datetime
    status: int

    @property
    def port(self) -> int | None:
        """The port of the server: which API was called."""
        return urlsplit(self.url).port


class Recorder:
    """What has passed, and the environment that leads a process through here."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.exchanges: list[Exchange] = []
        self._news = threading.Condition()

    def add(self, exchange: Exchange) -> None:
        with self._news:
            self.exchanges.append(exchange)
            self._news.notify_all()

    def wait(self, what: str, wanted: Callable[[Exchange], bool], limit: float) -> None:
        """Waits until such a request was answered, `limit` seconds at most."""
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.exchanges)), limit), what

    def environment(self) -> dict[str, str]:
        return {"http_proxy": self.url, "HTTP_PROXY": self.url, "no_proxy": "", "NO_PROXY": ""}

    def find(self, method: str, part: str) -> list[Exchange]:
        """Requests whose URL contains a text."""
        return [each for each in self.exchanges if each.method == method and part in each.url]


class Fault(StrEnum):
    """What can go wrong with a request on its way."""

    REFUSED = "connection refused"
    LOST = "answer lost"
    ERROR = "500"
    BUSY = "429"
    AWAY = "503"


Faults = Callable[[str, str], Fault | None]
"""Chooses what happens to a request, by its method and URL; None: it passes."""


@contextmanager
def recording(faults: Faults | None = None) -> Iterator[Recorder]:
    """Runs a proxy.

    Args:
        faults: what goes wrong with each request; such requests are not recorded.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            target = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length) if length else None
            kept = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            fault = faults(self.command, self.path) if faults else None
            if fault in (Fault.ERROR, Fault.BUSY, Fault.AWAY):
                self.send_error(int(fault))
                return
            if fault is Fault.REFUSED:
                self.close_connection = True
                return
            sent = utcnow()
            connection = HTTPConnection(str(target.hostname), target.port or 80, timeout=LIMIT)
            try:
                where = (target.path or "/") + (f"?{target.query}" if target.query else "")
                connection.request(self.command, where, body, kept)
                answer = connection.getresponse()
                content = answer.read()
            except OSError:
                self.send_error(502)
                return
            finally:
                connection.close()
            if fault is Fault.LOST:
                self.close_connection = True
                return
            recorder.add(
                Exchange(
                    self.command,
                    self.path,
                    (body or b"").decode(errors="replace"),
                    sent,
                    utcnow(),
                    answer.status,
                )
            )
            self.send_response(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who asked is gone
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _pass_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with serving(Handler) as port:
        recorder = Recorder(port)
        yield recorder


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serves on a free port of loopback, which it yields."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
