import asyncio
import socket
import threading
from collections.abc import Iterator

import kombu
import pytest
from oslo_config import cfg

from fenix.domain import EventType, Message
from fenix.messaging import DeliveryFailed
from fenix.messaging.bus import GROUP, OPTS, BusChannel, create


def channel(url: str, timeout: float = 10) -> BusChannel:
    conf = cfg.ConfigOpts()
    conf([])
    conf.register_opts(OPTS, GROUP)
    conf.set_override("timeout", timeout, GROUP)
    create(conf)  # registers oslo.messaging's options
    conf.set_override("transport_url", url, "oslo_messaging_notifications")
    return create(conf)


def send(message: Message, through: BusChannel) -> None:
    async def run() -> None:
        try:
            await through.send(message, None)
        finally:
            await through.close()

    asyncio.run(run())


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_it_is_a_broadcast() -> None:
    assert list(channel("kombu+memory:///").targets("p", EventType.HOST, ())) == [""]


def test_by_default_the_routing_key_is_notifications_info(message: Message) -> None:
    """Through kombu's broker in memory; the wire itself is the business of tests/services."""
    send(message, channel("kombu+memory:///"))
    with kombu.Connection("memory:///") as broker:
        got = broker.SimpleQueue("notifications.info").get(timeout=5)
    assert got.delivery_info["routing_key"] == "notifications.info"
    assert got.payload["payload"] == message.payload


def test_unreachable_rabbitmq_is_noticed_at_once(message: Message) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(DeliveryFailed, match="refused"):
            send(message, channel(f"rabbit://guest:guest@127.0.0.1:{port}/"))


def test_rabbitmq_that_says_nothing_holds_nobody_up(message: Message, silent_port: int) -> None:
    bus = channel(f"rabbit://guest:guest@127.0.0.1:{silent_port}/", timeout=1)
    with pytest.raises(DeliveryFailed, match="within 1 s"):
        send(message, bus)
    for thread in threading.enumerate():
        if thread.name.startswith("bus"):
            thread.join(30)  # kombu's own limit for a connection is 5 s


def test_a_payload_that_is_no_json_is_noticed(message: Message) -> None:
    message.payload = {"session_id": "s", "loop": (loop := [])}
    loop.append(loop)
    with pytest.raises(DeliveryFailed, match="RabbitMQ"):
        send(message, channel("kombu+memory:///"))
