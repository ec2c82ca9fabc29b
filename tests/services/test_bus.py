"""The notification bus with a real RabbitMQ: what is on the wire, and what happens without it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import uuid4

import kombu
import pytest

from fenix.domain import EventType, Message
from fenix.messaging import DeliveryFailed
from fenix.messaging.bus import BusChannel
from tests.services.rabbit import RABBIT, Gateway, channel, lets_sockets_go, received

pytestmark = pytest.mark.services


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
    monkeypatch.setattr("tests.services.rabbit.RABBIT", RABBIT.replace("guest@", "wrong@"))
    with pytest.raises(DeliveryFailed, match="ACCESS_REFUSED"):
        run(channel(topic), lambda bus: bus.send(message(), None))
