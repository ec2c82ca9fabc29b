"""RabbitMQ away for as long as it likes: a real engine goes on, and no message is lost."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import kombu
import pytest

from fenix.actions.process import ProcessRunner
from fenix.api.app import create_app
from fenix.api.auth import NoAuthenticator
from fenix.api.services import Services
from fenix.clouds.simulated import SimulatedCloud, SimulatedHost, World
from fenix.domain import DeliveryState, Resources, SessionRequest
from fenix.engine import Engine, EngineSettings, Tools, intake
from fenix.service.clock import utc_now
from fenix.store import Database, messages, migrate, sessions
from tests.services.rabbit import Gateway, channel, lets_sockets_go, received

pytestmark = pytest.mark.services

LIMIT = 60.0


class House:
    """An engine over a small cloud without instances, and the channel to RabbitMQ."""

    def __init__(self, topic: str, gateway: Gateway, directory: Path, **settings: float) -> None:
        self.database = Database("sqlite://")
        migrate.upgrade(self.database)
        self.cloud = SimulatedCloud(
            World([SimulatedHost(name, Resources(8, 16384, 200)) for name in ("a", "b")])
        )
        self.bus = channel(topic, gateway.port, timeout=2)
        quick = EngineSettings(
            machine="test", loop_interval=0.05, announce_limit=0.2, delivery_backoff=0.1,
            delivery_backoff_limit=0.2, **settings,
        )  # fmt: skip
        self.tools = Tools(
            self.database, self.cloud, [self.bus], ProcessRunner(directory, {}), utc_now, quick
        )

    async def until(self, condition: Callable[[Any], bool], what: str) -> None:
        """Waits until something holds in the database, which calls nobody by itself."""
        async with asyncio.timeout(LIMIT):
            while not await self.database.read(condition):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def play(self, story: Callable[["House", str], Any]) -> list[dict[str, Any]]:
        """Has the engine carry a session; returns the payloads that there are to be."""
        engine = Engine(self.tools)
        running = asyncio.create_task(engine.run())
        try:
            session = await intake.create_session(
                self.database,
                self.cloud,
                SessionRequest(workflow="default", maintenance_at=utc_now(), metadata={}),
                "admin",
                utc_now(),
            )
            await story(self, session.id)
            await self.closed(session.id)
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.bus.close()
        found = await self.database.read(lambda c: messages.list_messages(c, session.id))
        return [dict(one.payload) for one in found]

    async def ready(self) -> dict[str, str]:
        """What an API on the same database says is missing; it has no connection to RabbitMQ."""
        app = create_app(Services(self.database, self.cloud, [], NoAuthenticator(), utc_now))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://fenix.example"
        ) as client:
            checks: dict[str, str] = (await client.get("/readyz")).json()["checks"]
        return checks

    async def closed(self, session_id: str) -> None:
        """Waits until the session is done and its messages are out, or given up."""

        def closed(connection: Any) -> bool:
            found = sessions.get(connection, session_id)
            return found is not None and found.state == "MAINTENANCE_DONE" and not found.open

        await self.until(closed, "the session to end")


def payloads(broker: kombu.Connection, topic: str) -> list[dict[str, Any]]:
    """What has arrived."""
    return [json.loads(got.body)["payload"] for got in received(broker, topic)]


@lets_sockets_go
def test_a_session_ends_without_rabbitmq_and_all_messages_come_when_it_is_back(
    broker: kombu.Connection,
    topic: str,
    gateway: Gateway,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway.close()

    async def story(house: House, session_id: str) -> None:
        def done(connection: Any) -> bool:
            found = sessions.get(connection, session_id)
            return found is not None and found.state == "MAINTENANCE_DONE"

        await house.until(done, "the work to end")
        assert (await house.ready())["channels"].startswith("channel bus takes no messages")
        gateway.open()

    house = House(topic, gateway, tmp_path)
    written = asyncio.run(house.play(story))
    assert asyncio.run(house.ready())["channels"] == "ok"
    assert re.search(r"message \S+ .* is not taken by bus : RabbitMQ: .*refused", caplog.text, re.I)
    arrived = payloads(broker, topic)
    assert arrived == written
    assert arrived[-1]["state"] == "MAINTENANCE_DONE"


@lets_sockets_go
def test_away_for_longer_than_a_receiver_is_waited_for_nothing_is_given_up(
    broker: kombu.Connection, topic: str, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.close()
    give_up = timedelta(seconds=1)

    async def story(house: House, session_id: str) -> None:
        def tried_for_long(connection: Any) -> bool:
            found = messages.undelivered(connection, session_id)
            assert {one.state for one in found} <= {DeliveryState.PENDING}
            return any(one.due_at - one.message.created_at > 3 * give_up for one in found)

        await house.until(tried_for_long, "a message to be tried for long")
        gateway.open()

    house = House(topic, gateway, tmp_path, delivery_give_up=give_up.total_seconds())
    written = asyncio.run(house.play(story))
    assert payloads(broker, topic) == written
