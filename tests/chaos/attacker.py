"""Application managers that do everything wrong, over real HTTP, in a process of their own.

``python -m tests.chaos.attacker FENIX_URL SEED`` prints its URL. Messages for a project are taken
at ``/PROJECT``; ``/`` tells what was tried how often, and what Fenix answered.
"""

import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

Json = dict[str, Any]
FORGOTTEN = 0.3
DOUBLED = 0.3
ODD = 0.15
LATEST = 6.0
"""Longest delay of a late answer, s; longer than the time for an answer."""
HUGE = 10 * 1024 * 1024
ENDLESS = 20.0
"""Seconds after which we lose interest in something that has no end."""
OTHERS = {"alpha": "beta", "beta": "alpha"}


class Attacker:
    """What it does about messages, and what came of it."""

    def __init__(self, fenix: str, seed: int) -> None:
        self.fenix = fenix
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._http = httpx.Client(trust_env=False, timeout=30)

    def happens(self, share: float) -> bool:
        with self._lock:
            return self.chance.random() < share

    def note(self, what: str, answer: object = "") -> None:
        with self._lock:
            self.done[f"{what} {answer}".strip()] += 1

    def take(self, project: str, message: Json) -> None:
        """Answers a message, or does not."""
        with self._lock:
            again = message["message_id"] in self._seen
            self._seen.add(message["message_id"])
        if again:
            self.note("message again")
            return
        if self.happens(FORGOTTEN):
            self.note("message forgotten")
            return
        if message["state"] in ("INSTANCE_ACTION_DONE", "TEST"):
            return
        threading.Thread(target=self._answer, args=(project, message), daemon=True).start()

    def _answer(self, project: str, message: Json) -> None:
        url, state = message["reply_url"], message["state"]
        session = message["session_id"]
        if self.happens(ODD):
            self.note("late")
            time.sleep(self.chance.uniform(0, LATEST))
        if self.happens(ODD):
            self._put("wrong state", project, url, {"state": "ACK_MAINTENANCE_COMPLETE"})
        if self.happens(ODD):
            self._put("no state", project, url, {"state": "ACK_WHATEVER"})
        if self.happens(ODD):
            other = url.replace(session, str(uuid4()))
            self._put("wrong session", project, other, {"state": f"ACK_{state}"})
        if self.happens(ODD):
            other = url.replace(f"/{project}", f"/{OTHERS[project]}")
            self._put("wrong project", project, other, {"state": f"NACK_{state}"})
        if self.happens(ODD):
            body = {"state": f"NACK_{state}", "more": "x" * HUGE}
            self._put("huge body", project, url, body)
        if self.happens(ODD):
            threading.Thread(target=self._drip, args=(project, url), daemon=True).start()
        for _ in range(1 + self.happens(DOUBLED)):
            self._put("answer", project, url, {"state": f"ACK_{state}"})

    def _put(self, what: str, project: str, url: str, body: Json) -> None:
        try:
            answer = self._http.put(url, json=body, headers={"X-Project-Id": project})
        except httpx.TransportError as error:
            self.note(what, type(error).__name__)
        else:
            self.note(what, answer.status_code)

    def _drip(self, project: str, url: str) -> None:
        """A body that never ends, a byte at a time."""
        parts = urlsplit(url)
        head = (
            f"PUT {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Project-Id: {project}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        end = time.monotonic() + ENDLESS
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
            connection.settimeout(0.2)
            connection.sendall(head.encode())
            while time.monotonic() < end:
                try:
                    if answer := connection.recv(100):
                        self.note("endless body", answer.split()[1].decode())
                    else:
                        self.note("endless body", "closed")
                    return
                except TimeoutError:
                    pass
                except OSError:
                    self.note("endless body", "reset")
                    return
                with suppress(OSError):
                    connection.sendall(b"1\r\n \r\n")
            self.note("endless body", "borne")


def serve(attacker: Attacker) -> None:
    """Takes messages for ever."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            attacker.take(self.path.strip("/"), json.loads(body)["data"])
            how = attacker.chance.choices(
                ("taken", "cut", "failed", "huge answer", "endless head", "endless answer"),
                (60, 10, 10, 10, 5, 5),
            )[0]
            attacker.note(how)
            with suppress(OSError):
                self._answer(how)

        def _answer(self, how: str) -> None:
            self.close_connection = True
            if how == "cut":
                return
            if how == "failed":
                self.send_error(500)
                return
            if how == "endless head":
                self._drip(b"HTTP/1.1 200 OK\r\nX-Long: ")
                return
            self.send_response(200)
            self.send_header("Content-Length", str(HUGE if how != "taken" else 0))
            self.end_headers()
            if how == "huge answer":
                self.wfile.write(b"x" * HUGE)
            elif how == "endless answer":
                self._drip(b"x")

        def _drip(self, first: bytes) -> None:
            end = time.monotonic() + ENDLESS
            self.wfile.write(first)
            while time.monotonic() < end:
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)

        def do_GET(self) -> None:
            body = json.dumps(attacker.done).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 100
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    serve(Attacker(sys.argv[1], int(sys.argv[2])))
