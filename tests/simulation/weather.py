"""Disturbances of what an engine works with: clouds, databases and channels that fail for a while.

Each stands between the engine and the real thing, which other engines and the test still reach.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from fenix.clouds import Cloud, CloudUnavailable, MoveStatus, MoveTicket
from fenix.domain import EventType, Inventory, Message, MoveAction, Subscription
from fenix.messaging import Channel, DeliveryFailed
from fenix.store import Database, DatabaseUnavailable

T = TypeVar("T")


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Outage:
    """When something is away, in virtual seconds from the start; `until` may be for ever."""

    since: float
    until: float = float("inf")

    @property
    def present(self) -> bool:
        """Whether it is now."""
        return self.since <= _now() < self.until


class AroundCloud:
    """A cloud that does as another one does; base of those that do not quite."""

    def __init__(self, inner: Cloud) -> None:
        self.inner = inner

    async def pass_on(self, call: str, work: Callable[[], Awaitable[T]]) -> T:
        """Every call comes along here; `call` is the method's name."""
        return await work()

    async def inventory(self) -> Inventory:
        return await self.pass_on("inventory", self.inner.inventory)

    async def inventory_of(self, host: str) -> Inventory:
        return await self.pass_on("inventory_of", lambda: self.inner.inventory_of(host))

    async def disable_host(self, host: str, reason: str) -> bool:
        return await self.pass_on("disable_host", lambda: self.inner.disable_host(host, reason))

    async def enable_host(self, host: str, reason: str) -> bool:
        return await self.pass_on("enable_host", lambda: self.inner.enable_host(host, reason))

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        await self.pass_on("start_move", lambda: self.inner.start_move(instance_id, action, target))

    async def confirm_move(self, instance_id: str) -> None:
        await self.pass_on("confirm_move", lambda: self.inner.confirm_move(instance_id))

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        return await self.pass_on("watch_moves", lambda: self.inner.watch_moves(tickets, wait))

    async def delete_instance(self, instance_id: str) -> None:
        await self.pass_on("delete_instance", lambda: self.inner.delete_instance(instance_id))

    async def close(self) -> None:
        await self.inner.close()


class FlakyCloud(AroundCloud):
    """Does not answer during outages."""

    def __init__(self, inner: Cloud, *outages: Outage) -> None:
        super().__init__(inner)
        self._outages = outages

    async def pass_on(self, call: str, work: Callable[[], Awaitable[T]]) -> T:
        """See `AroundCloud.pass_on`."""
        if any(outage.present for outage in self._outages):
            raise CloudUnavailable("503 from the simulated weather")
        return await work()


class LosesAnswers(AroundCloud):
    """Does what it is told, and the answer to some calls is lost.

    Args:
        lost: how often the answer to each method is lost.
    """

    def __init__(self, inner: Cloud, **lost: int) -> None:
        super().__init__(inner)
        self._lost = lost

    async def pass_on(self, call: str, work: Callable[[], Awaitable[T]]) -> T:
        """See `AroundCloud.pass_on`."""
        answer = await work()
        if self._lost.get(call, 0) > 0:
            self._lost[call] -= 1
            raise CloudUnavailable("the connection was reset")
        return answer


class FlakyDatabase(Database):
    """Does not answer during outages."""

    def __init__(self, inner: Database, *outages: Outage) -> None:
        self._inner = inner
        self._outages = outages
        self.embedded = inner.embedded

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See `Database.read`."""
        self._check()
        return await self._inner.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`."""
        self._check()
        return await self._inner.write(work)

    def _check(self) -> None:
        if any(outage.present for outage in self._outages):
            raise DatabaseUnavailable("the simulated weather is bad")


@dataclass
class FlakyChannel:
    """Takes no message during outages, or never ends with one.

    Attributes:
        hangs: whether it hangs instead of failing.
        error: what it raises, if it does not hang.
        only: the kinds of messages that it has trouble with; empty: all.
        attempts: the messages that it was asked to send, also in vain.
        times: when, in virtual seconds.
    """

    inner: Channel
    outages: Sequence[Outage]
    hangs: bool = False
    error: Callable[[str], Exception] = DeliveryFailed
    only: Collection[str] = ()
    attempts: list[Message] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name, self.longest = self.inner.name, self.inner.longest

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """See `Channel.targets`."""
        return self.inner.targets(project_id, event_type, subscriptions)

    async def send(self, message: Message, target: Subscription | None) -> None:
        """See `Channel.send`."""
        self.attempts.append(message)
        self.times.append(_now())
        concerned = not self.only or message.event_type in self.only
        if concerned and any(outage.present for outage in self.outages):
            if self.hangs:
                await asyncio.Event().wait()
            raise self.error("the receiver is not there")
        await self.inner.send(message, target)

    async def close(self) -> None:
        """See `Channel.close`."""
        await self.inner.close()
