"""Those who hear Fenix besides the application's manager: on the bus, and by subscription."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import httpx
import kombu

from tests.openstack.lab import utcnow
from tests.openstack.recording import serving

Json = dict[str, Any]
QUEUE = "notifications.info"
TRAIT = 255  # characters that Ceilometer keeps of a text


@dataclass(frozen=True)
class Heard:
    """Something that came, and when (naive UTC)."""

    at: datetime
    body: Json


class Ear:
    """Keeps what it hears, and can be waited at."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._news = threading.Condition()

    def add(self, body: Json) -> None:
        with self._news:
            self.heard.append(Heard(utcnow(), body))
            self._news.notify_all()

    def wait(self, what: str, true: Callable[[list[Heard]], bool], limit: float) -> None:
        """Waits until what was heard is as wanted, `limit` seconds at most."""
        with self._news:
            assert self._news.wait_for(lambda: true(self.heard), limit), (
                f"not heard in {limit} s: {what}; heard last: {self.heard[-5:]}"
            )


@contextmanager
def bus_listener(
    broker: str, pass_on: Callable[[Json], None] | None = None, beside: bool = False
) -> Iterator[Ear]:
    """Keeps Fenix's notifications.

    Args:
        broker: URL of RabbitMQ.
        pass_on: gets each of them as well, one after the other.
        beside: listens with a queue of its own, and leaves Ceilometer's to Ceilometer.
    """
    ear = Ear()
    ending = threading.Event()

    def take(text: str | bytes | Json, message: kombu.Message) -> None:
        body = text if isinstance(text, dict) else json.loads(text)
        message.ack()
        if str(body.get("event_type", "")).startswith("maintenance."):
            ear.add(body)
            if pass_on:
                pass_on(body)

    with kombu.Connection(broker, connect_timeout=5) as connection:
        # As oslo.messaging declares it: Nova publishes there too.
        exchange = kombu.Exchange("openstack", "topic", durable=False)
        name = f"{QUEUE}-{uuid4().hex}" if beside else QUEUE
        queue = kombu.Queue(name, exchange, QUEUE, durable=False, exclusive=beside)
        bound = queue(connection.default_channel)
        bound.declare()
        bound.purge()

        def listen() -> None:
            with connection.Consumer([queue], callbacks=[take]):
                while not ending.is_set():
                    try:
                        connection.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield ear
        finally:
            ending.set()
            thread.join()


def telemetry(project_id: str, url: str) -> Callable[[Json], None]:
    """What Ceilometer and Aodh do for a project with an event alarm on `maintenance.scheduled`."""

    def pass_on(notification: Json) -> None:
        payload = notification["payload"]
        if notification["event_type"] != "maintenance.scheduled":
            return
        if payload["project_id"] != project_id:
            return
        traits = [
            [name, 4 if name.endswith("_at") else 1, str(value)[:TRAIT]]
            for name, value in payload.items()
            if value is not None
        ]
        event = {
            "event_type": notification["event_type"],
            "message_id": notification["message_id"],
            "generated": notification["timestamp"],
            "traits": traits,
        }
        alarm = {"current": "alarm", "reason_data": {"type": "event", "event": event}}
        httpx.post(url, json=alarm, timeout=60).raise_for_status()

    return pass_on


@contextmanager
def receiver(before_answer: Callable[[Json], None] | None = None) -> Iterator[tuple[str, Ear]]:
    """Takes POSTs for a subscription; yields its URL and what it heard.

    Args:
        before_answer: is called with each body before it is answered.
    """
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            ear.add(body)
            if before_answer:
                before_answer(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}/", ear
