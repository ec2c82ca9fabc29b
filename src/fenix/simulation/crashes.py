"""Kills an engine at a chosen moment: just before or just after one of its effects.

An engine only touches the world through its tools. Here they are counted, and from the chosen
effect on they are dead, as they would be for a process that was killed: whatever the engine still
tries has no effect.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import Connection

from fenix.actions import ActionRequest, ActionResult, ActionRunner
from fenix.clouds import Cloud, MoveStatus, MoveTicket
from fenix.domain import EventType, Inventory, Message, MoveAction, Subscription
from fenix.engine import Tools
from fenix.messaging import Channel
from fenix.store import Database, LeaseLost

T = TypeVar("T")


class Crashed(LeaseLost):
    """The engine is dead; it reacts as to the loss of its lease: nothing works any more."""


@dataclass
class Gate:
    """Counts effects and dies at one.

    Attributes:
        crash_at: number of the effect to die at, from 1; None: never.
        after: die when it has just been done, else just before.
        effects: the kinds of effects in their order.
        times: when they were done, by the event loop's time in seconds.
    """

    crash_at: int | None = None
    after: bool = False
    effects: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def effect(self, kind: str, do: Callable[[], Awaitable[T]]) -> T:
        """Does something outward, unless the engine is dead or dies now."""
        self.check()
        self.effects.append(kind)
        self.times.append(asyncio.get_running_loop().time())
        now = len(self.effects) == self.crash_at
        if now and not self.after:
            self._die()
        result = await do()
        self.check()
        if now:
            self._die()
        return result

    def check(self) -> None:
        """Raises if the engine is dead."""
        if self.died.is_set():
            raise Crashed("the engine is dead")

    def _die(self) -> None:
        self.died.set()
        raise Crashed("the engine dies here")

    def around(self, tools: Tools) -> Tools:
        """An engine's tools behind this gate."""
        return replace(
            tools,
            database=_Database(tools.database, self),
            cloud=_Cloud(tools.cloud, self),
            channels=[_Channel(channel, self) for channel in tools.channels],
            actions=_Actions(tools.actions, self),
        )


class _Database(Database):
    def __init__(self, inner: Database, gate: Gate) -> None:
        self._inner, self._gate = inner, gate
        self.embedded = inner.embedded

    async def read(self, work: Callable[[Connection], T]) -> T:
        self._gate.check()
        return await self._inner.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._gate.effect("write", lambda: self._inner.write(work))


class _Cloud:
    def __init__(self, inner: Cloud, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    async def inventory(self) -> Inventory:
        return await self._gate.effect("cloud.inventory", self._inner.inventory)

    async def inventory_of(self, host: str) -> Inventory:
        return await self._gate.effect("cloud.inventory_of", lambda: self._inner.inventory_of(host))

    async def disable_host(self, host: str, reason: str) -> bool:
        return await self._gate.effect(
            "cloud.disable_host", lambda: self._inner.disable_host(host, reason)
        )

    async def enable_host(self, host: str, reason: str) -> bool:
        return await self._gate.effect(
            "cloud.enable_host", lambda: self._inner.enable_host(host, reason)
        )

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        await self._gate.effect(
            "cloud.start_move", lambda: self._inner.start_move(instance_id, action, target)
        )

    async def confirm_move(self, instance_id: str) -> None:
        await self._gate.effect("cloud.confirm_move", lambda: self._inner.confirm_move(instance_id))

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        self._gate.check()
        return await self._inner.watch_moves(tickets, wait)

    async def delete_instance(self, instance_id: str) -> None:
        await self._gate.effect(
            "cloud.delete_instance", lambda: self._inner.delete_instance(instance_id)
        )

    async def close(self) -> None:
        await self._inner.close()


class _Channel:
    def __init__(self, inner: Channel, gate: Gate) -> None:
        self._inner, self._gate = inner, gate
        self.name, self.longest = inner.name, inner.longest

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        return self._inner.targets(project_id, event_type, subscriptions)

    async def send(self, message: Message, target: Subscription | None) -> None:
        await self._gate.effect("message", lambda: self._inner.send(message, target))

    async def close(self) -> None:
        await self._inner.close()


class _Actions:
    def __init__(self, inner: ActionRunner, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    async def run(self, request: ActionRequest) -> ActionResult:
        async def start() -> "asyncio.Future[ActionResult]":
            running = asyncio.ensure_future(self._inner.run(request))
            await asyncio.sleep(0)
            return running

        running: asyncio.Future[Any] = await self._gate.effect("action", start)
        result: ActionResult = await running
        self._gate.check()
        return result
