"""Sends out a session's messages: at least once, in order for each project and receiver.

Messages are written together with the state that they tell of; this task only carries them. Each
receiver of a project's messages has a lane of its own, so that a dead one holds up nobody else.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from fenix.domain import Delivery, DeliveryState, Message, Subscription
from fenix.engine.grip import Grip
from fenix.engine.journal import Journal
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.messaging import Channel, DeliveryFailed
from fenix.metrics import DELIVERIES
from fenix.store import Row, Rows, Write, messages, subscriptions

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that a channel gets to end a message by its own limits."""

OUTAGE_PAUSE = 3.0
"""Seconds: the longest pause between two tries while a channel itself is away."""

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
        self._messages = {message.id: message for message in data.messages.values()}
        self._seen = 0
        self._known: set[int] = set()
        self._reading = False
        self._untried: set[str] = set()
        self._held_up: set[str] = set()
        self._taken_at: dict[str, datetime] = {}

    async def post(self, message: Message, *writes: Write) -> None:
        """Writes a message, for whoever is to get it, together with what it tells of."""
        await self.post_all([message], *writes)

    async def post_all(self, written: Sequence[Message], *writes: Write) -> None:
        """Writes messages in this order, together with what they tell of."""
        rows = [self._rows(message) for message in written]
        await self._journal.commit(*writes, *rows)
        self._news.set()

    def _rows(self, message: Message) -> Rows:
        def rows(subscribed: Sequence[Subscription]) -> Iterator[Row]:
            targets = [
                (channel.name, target)
                for channel in self._channels.values()
                for target in channel.targets(message.project_id, message.event_type, subscribed)
            ]
            if targets:
                self._untried.add(message.id)
            return messages.message_rows(self._data.session.id, message, targets)

        self._data.messages[message.key] = message
        self._messages[message.id] = message
        return Rows(rows, subscriptions.of_projects, message.project_id)

    def look_again(self) -> None:
        """Somebody else has written messages, whose ids may be smaller than those that are here."""
        self._seen = 0
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
                    if delivery.id in self._known:
                        continue
                    self._known.add(delivery.id)
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

    def held_up(self, message_id: str) -> bool:
        """Whether a message waits for a channel that is away itself, and nobody has taken it."""
        return message_id in self._held_up and message_id not in self._taken_at

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
        return messages.pending(connection, self._data.session.id, self._seen, self._messages)

    async def _carry(self, lane: Lane) -> None:
        queue = self._lanes[lane]
        while queue:
            delivery = queue[0]
            await self._sleep_until(delivery.due_at)
            target = await self._subscription(delivery.target)
            if target and target.retry_at and target.retry_at > self._data.now():
                # Another session's message has failed with it just now.
                await self._sleep_until(target.retry_at)
                continue
            delivery, *writes = await self._attempt(delivery, target)
            queue[0] = delivery
            self._untried.discard(delivery.message.id)
            if delivery.delivered_at is not None:
                self._taken_at.setdefault(delivery.message.id, delivery.delivered_at)
            await self._journal.commit(messages.save_attempt(delivery), *writes)
            if delivery.state is not DeliveryState.PENDING:
                queue.popleft()
                self._pulse()
        del self._lanes[lane]
        self._pulse()

    async def _subscription(self, ident: str) -> Subscription | None:
        if not ident:
            return None
        return await self._journal.read(lambda connection: subscriptions.get(connection, ident))

    async def _sleep_until(self, when: datetime) -> None:
        pause = (when - self._data.now()).total_seconds()
        if pause > 0:
            await asyncio.sleep(pause)

    async def _attempt(
        self, delivery: Delivery, target: Subscription | None
    ) -> tuple[Delivery, *tuple[Write, ...]]:
        """Tries once; returns how that ended, and what is to be noted about the subscription."""
        channel = self._channels.get(delivery.channel)
        if delivery.target and target is None:
            gone = "the subscription is gone"
            return (replace(delivery, state=DeliveryState.GIVEN_UP, error=gone),)
        try:
            if channel is None:
                raise DeliveryFailed(f"channel {delivery.channel} is not configured here")
            await self._grip.assure()
            await self._send(channel, delivery.message, target)
        except DeliveryFailed as error:
            DELIVERIES.labels(delivery.channel, "failed").inc()
            if error.outage:
                self._held_up.add(delivery.message.id)
            return self._postponed(delivery, target, error)
        DELIVERIES.labels(delivery.channel, "ok").inc()
        taken = replace(
            delivery,
            state=DeliveryState.DELIVERED,
            attempts=delivery.attempts + 1,
            error=None,
            delivered_at=self._data.now(),
        )
        if target is None or target.failing_since is None:
            return (taken,)
        return taken, subscriptions.recovered(target.id)

    async def _send(self, channel: Channel, message: Message, target: Subscription | None) -> None:
        """Gives a message to a channel, whatever that does.

        Raises:
            DeliveryFailed: it is to be tried again.
        """
        limit = max(self._settings.delivery_timeout, channel.longest + GRACE)
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

    def _postponed(
        self, delivery: Delivery, target: Subscription | None, error: DeliveryFailed
    ) -> tuple[Delivery, *tuple[Write, ...]]:
        settings = self._settings
        now = self._data.now()
        age = (now - (delivery.requested_at or delivery.message.created_at)).total_seconds()
        given_up = age >= settings.delivery_give_up and not error.outage
        pause = settings.delivery_backoff * 2 ** min(delivery.attempts, 20)
        if target and target.failing_since:
            # A receiver that is long away is not hurried by each message anew.
            pause = max(pause, (now - target.failing_since).total_seconds())
        pause = min(max(pause, error.retry_after or 0), settings.delivery_backoff_limit)
        if error.outage:
            pause = min(pause, OUTAGE_PAUSE)
        log.warning(
            "session %s: message %s (%s) for project %s is not taken by %s %s: %s; %s",
            self._data.session.id,
            delivery.message.id,
            delivery.message.state,
            delivery.message.project_id,
            delivery.channel,
            delivery.target,
            error,
            "given up" if given_up else f"next try in {pause:g} s",
        )
        due_at = now + timedelta(seconds=pause)
        postponed = replace(
            delivery,
            state=DeliveryState.GIVEN_UP if given_up else DeliveryState.PENDING,
            attempts=delivery.attempts + 1,
            error=str(error),
            due_at=due_at,
        )
        if target is None:
            return (postponed,)
        return postponed, subscriptions.failed(target.id, str(error), now, due_at)
