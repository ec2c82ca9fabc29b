"""The managers of all projects in one: keeps each message, and agrees to everything."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.cli.harness import LIMIT

NO_REPLY = "INSTANCE_ACTION_DONE"
PAUSE = 0.3
PATIENCE = 300
"""Tries of a reply; the API may be without its database for a minute."""


class Receiver:
    """What came, by the ids of the messages, and which replies were refused."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.refused: list[str] = []
        self.url = ""
        self._lock = threading.Lock()
        self._replying = ThreadPoolExecutor(8)
        self._closing = threading.Event()

    def take(self, event: dict[str, Any]) -> None:
        """Keeps a message, and sees to it that it is answered."""
        with self._lock:
            self.received[event["id"]] += 1
        data = event["data"]
        if event["type"] == "maintenance.scheduled" and data["state"] != NO_REPLY:
            self._replying.submit(self._reply, data["reply_url"], f"ACK_{data['state']}")

    def close(self) -> None:
        """Ends replies under way."""
        self._closing.set()
        self._replying.shutdown(cancel_futures=True)

    def _reply(self, url: str, state: str) -> None:
        for _ in range(PATIENCE):
            if self._closing.is_set():
                return
            try:
                answer = httpx.put(url, json={"state": state}, trust_env=False, timeout=LIMIT)
                if not answer.is_server_error:
                    if not answer.is_success:
                        self.refused.append(f"{url} {state}: {answer.status_code} {answer.text}")
                    return
            except httpx.TransportError:
                pass
            self._closing.wait(PAUSE)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """An engine that is killed while it posts."""

    server = Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        told.close()
        server.shutdown()
        thread.join()
        server.server_close()
