"""The notification bus with a real RabbitMQ: what is on the wire, and what happens without it."""

import asyncio
import gc
import json
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from uuid import uuid4

import kombu
import pytest
from kombu.exceptions import OperationalError
from oslo_config import cfg

from fenix.domain import EventType, Message
from fenix.messaging import DeliveryFailed
from fenix.messaging.bus import GROUP, OPTS, BusChannel, create

pytestmark = pytest.mark.services

RABBIT = os.environ.get("FENIX_TEST_RABBIT", "amqp://guest:guest@127.0.0.1:5672/")
OSLO = "oslo_messaging_notifications"


@pytest.fixture
def broker() -> Iterator[kombu.Connection]:
    """A connection to RabbitMQ; without one the test is skipped, and fails where CI is true."""
    with kombu.Connection(RABBIT, connect_timeout=5) as connection:
        try:
            connection.ensure_connection(max_retries=0)
        except OperationalError as error:
            reason = f"no RabbitMQ at FENIX_TEST_RABBIT: {error}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield connection


@pytest.fixture
def topic(broker: kombu.Connection) -> Iterator[str]:
    """A topic and an exchange, both of this name, that are nobody else's."""
    name = f"fenix-test-{uuid4().hex}"
    yield name
    channel = broker.default_channel
    channel.queue_delete(f"{name}.info")
    channel.exchange_delete(name)


class Gateway:
    """A port that leads to RabbitMQ, and can be cut, closed and blocked like RabbitMQ itself."""

    def __init__(self, host: str, port: int) -> None:
        self._inside = (host, port)
        self._sockets: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self.port = 0
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Ends all connections."""
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Connections stay, and nothing passes."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                outer, _ = listener.accept()
                inner = socket.create_connection(self._inside)
                self._sockets += [outer, inner]
                for ends in ((outer, inner), (inner, outer)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def gateway(broker: kombu.Connection) -> Iterator[Gateway]:
    with closing(Gateway(broker.hostname, broker.port or 5672)) as opened:
        yield opened
    gc.collect()  # sockets that py-amqp has left are to be noticed here, where they are expected


def channel(topic: str, port: int | None = None, timeout: float = 30) -> BusChannel:
    """A channel as an operator configures it, with a topic and an exchange of its own."""
    where = kombu.utils.url.parse_url(RABBIT)
    host = f"127.0.0.1:{port}" if port else f"{where['hostname']}:{where['port'] or 5672}"
    user = f"{where['userid']}:{where['password']}"
    conf = cfg.ConfigOpts()
    conf([])
    conf.register_opts(OPTS, GROUP)
    conf.set_override("timeout", timeout, GROUP)
    create(conf)  # registers oslo.messaging's options
    conf.set_override("transport_url", f"rabbit://{user}@{host}/{where['virtual_host'] or ''}")
    conf.set_override("control_exchange", topic)
    conf.set_override("topics", [topic], OSLO)
    return create(conf)


def message(number: int = 1) -> Message:
    return Message(
        id=str(uuid4()),
        key=f"k{number}",
        sequence=number,
        event_type=EventType.SCHEDULED,
        project_id="p1",
        state="PLANNED_MAINTENANCE",
        payload={
            "service": "fenix",
            "project_id": "p1",
            "instance_ids": ["i1"],
            "metadata": {"deep": {"x": [1, None, True, "ü"]}},
            "sequence": number,
        },
        created_at=datetime(2026, 1, 1),
    )


def received(broker: kombu.Connection, topic: str) -> list[kombu.Message]:
    """All that is in the queue, at once."""
    found = []
    while (got := broker.default_channel.basic_get(f"{topic}.info", no_ack=True)) is not None:
        found.append(broker.default_channel.message_to_python(got))
    return found


lets_sockets_go = pytest.mark.filterwarnings(
    # py-amqp leaves the socket of a broken connection to the garbage collector.
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)


def run(bus: BusChannel, body: Callable[[BusChannel], Awaitable[None]]) -> None:
    async def main() -> None:
        try:
            await body(bus)
        finally:
            await bus.close()

    asyncio.run(main())


def test_the_wire_format(broker: kombu.Connection, topic: str) -> None:
    """Format 1: the notification itself, with no `oslo.message` envelope around it."""
    sent = message()
    run(channel(topic), lambda bus: bus.send(sent, None))
    (got,) = received(broker, topic)
    assert got.delivery_info["exchange"] == topic
    assert got.delivery_info["routing_key"] == f"{topic}.info"
    assert got.content_type == "application/json"
    body = json.loads(got.body)
    assert body.pop("_unique_id")
    assert body.pop("message_id")
    assert datetime.fromisoformat(body.pop("timestamp"))
    context = {key: body.pop(key) for key in list(body) if key.startswith("_context_")}
    assert not any(context.values())
    assert body == {
        "event_type": "maintenance.scheduled",
        "publisher_id": "fenix",
        "priority": "INFO",
        "payload": sent.payload,
    }


def test_the_order_is_kept(broker: kombu.Connection, topic: str) -> None:
    async def body(bus: BusChannel) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(bus.send(message(number), None))

    run(channel(topic), body)
    numbers = [json.loads(got.body)["payload"]["sequence"] for got in received(broker, topic)]
    assert numbers == list(range(50))


@lets_sockets_go
def test_a_restart_of_rabbitmq_goes_unnoticed(
    broker: kombu.Connection, topic: str, gateway: Gateway
) -> None:
    async def body(bus: BusChannel) -> None:
        await bus.send(message(1), None)
        gateway.cut()
        await bus.send(message(2), None)

    run(channel(topic, gateway.port), body)
    assert len(received(broker, topic)) == 2


@lets_sockets_go
def test_rabbitmq_that_is_down_is_noticed_and_its_return_too(
    broker: kombu.Connection, topic: str, gateway: Gateway
) -> None:
    async def body(bus: BusChannel) -> None:
        await bus.send(message(1), None)
        gateway.close()
        for _ in range(2):
            async with asyncio.timeout(10):
                with pytest.raises(DeliveryFailed, match="refused"):
                    await bus.send(message(2), None)
        gateway.open()
        await bus.send(message(3), None)

    run(channel(topic, gateway.port), body)
    numbers = [json.loads(got.body)["payload"]["sequence"] for got in received(broker, topic)]
    assert numbers == [1, 3]


@lets_sockets_go
def test_rabbitmq_that_does_not_confirm_is_noticed(
    broker: kombu.Connection, topic: str, gateway: Gateway
) -> None:
    """As when it has run out of memory and blocks its publishers."""

    async def body(bus: BusChannel) -> None:
        await bus.send(message(1), None)
        with gateway.blocked():
            async with asyncio.TaskGroup() as group:
                for number in (2, 3):
                    group.create_task(fails(bus, number))
        await bus.send(message(4), None)

    async def fails(bus: BusChannel, number: int) -> None:
        with pytest.raises(DeliveryFailed, match="within 2 s"):
            await bus.send(message(number), None)

    run(channel(topic, gateway.port, timeout=2), body)
    numbers = [json.loads(got.body)["payload"]["sequence"] for got in received(broker, topic)]
    assert numbers == [1, 2, 4], "2 was on its way, 3 was still waiting for its turn"


def test_a_login_that_is_refused_is_noticed(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_bus.RABBIT", RABBIT.replace("guest@", "wrong@"))
    with pytest.raises(DeliveryFailed, match="ACCESS_REFUSED"):
        run(channel(topic), lambda bus: bus.send(message(), None))
