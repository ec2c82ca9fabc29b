"""Application managers in virtual time: they get messages, change their applications and answer.

What they do is said by the scenario format ("What the simulated world does"). They are a channel
to the engine; their replies go through the same intake as those over HTTP.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from fenix.clouds import CloudError
from fenix.clouds.simulated import SimulatedInstance, World
from fenix.domain import EventType, Message, MoveAction, ProjectState, Reply, Subscription
from fenix.simulation.events import LONGEST_STEM, EventLog
from fenix.simulation.scenario import InstanceModel, ManagerModel, Scenario

Answer = Callable[[Reply], Awaitable[None]]
"""Hands a reply to Fenix."""


class Manager(Protocol):
    """Who gets a project's messages."""

    async def handle(self, message: Message, answer: Answer) -> None:
        """Does what a message asks for and answers it."""
        ...


class SimulatedManager:
    """The manager of one project."""

    def __init__(
        self,
        project_id: str,
        model: ManagerModel,
        mine: Sequence[InstanceModel],
        removable: Collection[str],
        world: World,
        log: EventLog,
    ) -> None:
        self._project_id = project_id
        self._model = model
        self._world = world
        self._log = log
        self._actions = {one.id: one.migration_type for one in mine}
        self._removable = [one.id for one in mine if one.group in removable]
        self._removed: list[SimulatedInstance] = []

    async def handle(self, message: Message, answer: Answer) -> None:
        """Does what a message asks for and answers it."""
        state = ProjectState(message.state)
        match state:
            case ProjectState.SCALE_IN:
                await self._reply(message, answer, ack=await self._scale_in())
            case ProjectState.MAINTENANCE_COMPLETE:
                await self._scale_out()
                await self._reply(message, answer)
            case ProjectState.PREPARE_MAINTENANCE | ProjectState.PLANNED_MAINTENANCE:
                await asyncio.sleep(self._model.reply_seconds)
                actions = {ident: await self._act(ident) for ident in message.instance_ids}
                await self._reply(message, answer, actions=actions)
            case ProjectState.MAINTENANCE:
                await asyncio.sleep(self._model.reply_seconds)
                await self._reply(message, answer)
            case ProjectState.INSTANCE_ACTION_DONE:
                pass

    async def _reply(
        self,
        message: Message,
        answer: Answer,
        ack: bool = True,
        actions: dict[str, MoveAction] | None = None,
    ) -> None:
        state = ProjectState(message.state)
        about_one = message.payload["reply_url"].rsplit("/", 1)[-1] in message.instance_ids
        word = state.ack if ack else state.nack
        now = asyncio.get_running_loop().time()
        keys = {
            "project": self._project_id,
            "state": word,
            "instances": list(message.instance_ids),
        }
        self._log.record(now, "project.replied", keys)
        await answer(
            Reply(
                session_id=message.payload["session_id"],
                project_id=self._project_id,
                state=word,
                instance_id=message.instance_ids[0] if about_one else None,
                instance_actions=actions or {},
            )
        )

    async def _act(self, ident: str) -> MoveAction:
        """Chooses the action for an instance, and does its own where it has one."""
        action = self._actions.get(ident, MoveAction.LIVE_MIGRATE)
        instance = self._world.instances.get(ident)
        if action is not MoveAction.OWN_ACTION or instance is None:
            return action
        await asyncio.sleep(instance.migration_seconds)
        successor = replace(instance, id=self._world.new_id(ident[:LONGEST_STEM]), host="")
        self._world.delete_instance(ident)
        self._actions[successor.id] = action
        try:
            self._world.create_instance(successor)
        except CloudError:
            # No room elsewhere: it comes back at the end, like those of a scale-in.
            self._removed.append(successor)
        return action

    async def _scale_in(self) -> bool:
        model = self._model.scale_in
        left = 0 if model is None else model.max - len(self._removed)
        alive = [ident for ident in self._removable if ident in self._world.instances]
        chosen = alive[-min(left, model.instances) :] if model and left > 0 else []
        if not chosen or model is None:
            await asyncio.sleep(self._model.reply_seconds)
            return False
        await asyncio.sleep(model.seconds)
        for ident in reversed(chosen):
            if instance := self._world.instances.get(ident):
                self._removed.append(instance)
                self._world.delete_instance(ident)
        return True

    async def _scale_out(self) -> None:
        model = self._model.scale_in
        await asyncio.sleep(model.scale_out_seconds if model else self._model.reply_seconds)
        while self._removed:
            gone = self._removed.pop()
            fresh = replace(gone, id=self._world.new_id("scaled-out"), host="")
            # Others may have taken the room meanwhile.
            with contextlib.suppress(CloudError):
                self._world.create_instance(fresh)


class ManagerChannel:
    """The channel to all simulated managers, and to whoever listens to hosts and sessions.

    Args:
        tasks: runs what managers do.
        answer: takes their replies.

    Attributes:
        managers: who gets the messages of each project that has a manager.
        sent: every message as it came, also one that came twice.
        listeners: are told the virtual time and each message, when it comes for the first time.
    """

    name = "simulated"
    longest = 0.0

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        log: EventLog,
        tasks: asyncio.TaskGroup,
        answer: Answer,
    ) -> None:
        removable = {group.id for group in scenario.groups if group.removable}
        instances = defaultdict(list)
        for one in scenario.instances:
            instances[one.project].append(one)
        self.managers: dict[str, Manager] = {
            project.id: SimulatedManager(
                project.id, project.manager, instances[project.id], removable, world, log
            )
            for project in scenario.projects
            if project.manager is not None
        }
        self._log = log
        self._tasks = tasks
        self._answer = answer
        self._seen: set[str] = set()
        self.sent: list[Message] = []
        self.listeners: list[Callable[[float, Message], None]] = []

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """See `Channel.targets`."""
        if event_type is EventType.SCHEDULED and project_id not in self.managers:
            return ()
        return ("",)

    async def send(self, message: Message, target: Subscription | None) -> None:
        """See `Channel.send`; a message that comes again is recognised by its id."""
        self.sent.append(message)
        if message.id in self._seen:
            return
        self._seen.add(message.id)
        now = asyncio.get_running_loop().time()
        for listener in self.listeners:
            listener(round(now - self._log.start, 6), message)
        if message.event_type is EventType.SESSION:
            self._log.record(now, "session.state", {"state": message.state})
        if message.event_type is not EventType.SCHEDULED:
            return
        keys: dict[str, Any] = {
            "project": message.project_id,
            "state": message.state,
            "instances": list(message.instance_ids),
        }
        self._log.record(now, "project.notified", keys)
        self._spawn(self.managers[message.project_id].handle(message, self._answer))

    async def close(self) -> None:
        """See `Channel.close`."""

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.create_task(work)
