"""Sends out a session's messages: at least once, in order for each project and receiver.

Messages are written together with the state that they tell of; this task only carries them. Each
receiver of a project's messages has a lane of its own, so that a dead one holds up nobody else.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from fenix.domain import Delivery, DeliveryState, Message, Subscription
from fenix.engine.grip import Grip
from fenix.engine.journal import Journal
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.messaging import Channel, DeliveryFailed
from fenix.store import Write, messages, subscriptions

log = logging.getLogger(__name__)

Lane = tuple[str, str, str]
"""Project, channel and target."""


class Outbox:
    """The messages of one session on their way out."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        grip: Grip,
        channels: Sequence[Channel],
        settings: EngineSettings,
    ) -> None:
        self._data = data
        self._journal = journal
        self._grip = grip
        self._channels = {channel.name: channel for channel in channels}
        self._settings = settings
        self._news = asyncio.Event()
        self._news.set()  # Messages from before a restart may be there.
        self._moved = asyncio.Event()
        self._lanes: dict[Lane, deque[Delivery]] = {}
        self._seen = 0
        self._reading = False
        self._untried: set[str] = set()
        self._taken_at: dict[str, datetime] = {}

    async def post(self, message: Message, *writes: Write) -> None:
        """Writes a message, for whoever is to get it, together with what it tells of."""

        def write(connection: Connection) -> None:
            subscribed = subscriptions.list_all(connection, message.project_id)
            targets = [
                (channel.name, target)
                for channel in self._channels.values()
                for target in channel.targets(message.project_id, message.event_type, subscribed)
            ]
            messages.add(self._data.session.id, message, targets)(connection)
            if targets:
                self._untried.add(message.id)

        self._data.messages[message.key] = message
        await self._journal.commit(*writes, write)
        self._news.set()

    async def run(self) -> None:
        """Carries messages until cancelled."""
        async with asyncio.TaskGroup() as lanes:
            while True:
                await self._news.wait()
                self._news.clear()
                self._reading = True
                for delivery in await self._journal.read(self._unseen):
                    self._seen = max(self._seen, delivery.id)
                    lane = (delivery.message.project_id, delivery.channel, delivery.target)
                    if lane not in self._lanes:
                        self._lanes[lane] = deque()
                        lanes.create_task(self._carry(lane))
                    self._lanes[lane].append(delivery)
                self._reading = False
                self._pulse()

    async def delivered(self, message_id: str, limit: float) -> bool:
        """Waits until a message is with all who get it, `limit` seconds at most."""
        return await self._until_out(message_id, limit)

    @property
    def patience(self) -> timedelta:
        """How long it takes until a receiver that is back is sure to be tried again."""
        return timedelta(seconds=2 * self._settings.delivery_backoff_limit)

    def untried(self, message_id: str) -> bool:
        """Whether a message was written by this engine and no channel was given it yet."""
        return message_id in self._untried

    def taken_at(self, message_id: str) -> datetime | None:
        """When this engine brought a message to the first receiver, if it did."""
        return self._taken_at.get(message_id)

    def failing(self, message_id: str) -> bool:
        """Whether no receiver has taken a message yet, and it is to be tried again."""
        if message_id in self._taken_at:
            return False
        waiting = (delivery for lane in self._lanes.values() for delivery in lane)
        return any(delivery.message.id == message_id for delivery in waiting)

    async def drained(self, limit: float | None) -> bool:
        """Waits until all messages are delivered or given up, `limit` seconds at most."""
        return await self._until_out(None, limit)

    async def _until_out(self, message_id: str | None, limit: float | None) -> bool:
        try:
            async with asyncio.timeout(limit):
                while self._on_their_way(message_id):
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _on_their_way(self, message_id: str | None) -> bool:
        if self._news.is_set() or self._reading:
            return True
        waiting = (delivery for lane in self._lanes.values() for delivery in lane)
        return any(message_id in (None, delivery.message.id) for delivery in waiting)

    def _pulse(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _unseen(self, connection: Connection) -> Sequence[Delivery]:
        return messages.pending(connection, self._data.session.id, self._seen)

    async def _carry(self, lane: Lane) -> None:
        queue = self._lanes[lane]
        while queue:
            delivery = queue[0]
            pause = (delivery.due_at - self._data.now()).total_seconds()
            if pause > 0:
                await asyncio.sleep(pause)
            delivery = queue[0] = await self._attempt(delivery)
            self._untried.discard(delivery.message.id)
            if delivery.delivered_at is not None:
                self._taken_at.setdefault(delivery.message.id, delivery.delivered_at)
            await self._journal.commit(messages.save_attempt(delivery))
            if delivery.state is not DeliveryState.PENDING:
                queue.popleft()
                self._pulse()
        del self._lanes[lane]
        self._pulse()

    async def _attempt(self, delivery: Delivery) -> Delivery:
        channel = self._channels.get(delivery.channel)
        try:
            if channel is None:
                raise DeliveryFailed(f"channel {delivery.channel} is not configured here")
            target = None
            if delivery.target:
                target = await self._journal.read(
                    lambda connection: subscriptions.get(connection, delivery.target)
                )
                if target is None:
                    return replace(
                        delivery, state=DeliveryState.GIVEN_UP, error="the subscription is gone"
                    )
            await self._grip.assure()
            await self._send(channel, delivery.message, target)
        except DeliveryFailed as error:
            return self._postponed(delivery, error)
        return replace(
            delivery,
            state=DeliveryState.DELIVERED,
            attempts=delivery.attempts + 1,
            error=None,
            delivered_at=self._data.now(),
        )

    async def _send(self, channel: Channel, message: Message, target: Subscription | None) -> None:
        """Gives a message to a channel, whatever that does.

        Raises:
            DeliveryFailed: it is to be tried again.
        """
        limit = self._settings.delivery_timeout
        try:
            async with asyncio.timeout(limit) as timeout:
                await channel.send(message, target)
        except DeliveryFailed:
            raise
        except Exception as error:
            if timeout.expired():
                raise DeliveryFailed(
                    f"channel {channel.name} did not end with it within {limit:g} s"
                ) from error
            log.exception("channel %s is at fault with message %s", channel.name, message.id)
            raise DeliveryFailed(f"channel {channel.name}: {error!r}") from error

    def _postponed(self, delivery: Delivery, error: DeliveryFailed) -> Delivery:
        settings = self._settings
        now = self._data.now()
        age = (now - delivery.message.created_at).total_seconds()
        given_up = age >= settings.delivery_give_up
        pause = min(
            settings.delivery_backoff * 2 ** min(delivery.attempts, 20),
            settings.delivery_backoff_limit,
        )
        pause = max(pause, min(error.retry_after or 0, settings.delivery_backoff_limit))
        log.warning(
            "session %s: message %s (%s) for project %s is not taken by %s %s: %s; %s",
            self._data.session.id,
            delivery.message.id,
            delivery.message.state,
            delivery.message.project_id,
            delivery.channel,
            delivery.target,
            error,
            "given up" if given_up else f"next try in {pause} s",
        )
        return replace(
            delivery,
            state=DeliveryState.GIVEN_UP if given_up else DeliveryState.PENDING,
            attempts=delivery.attempts + 1,
            error=str(error),
            due_at=now + timedelta(seconds=pause),
        )
