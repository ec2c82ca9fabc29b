"""Application managers that do something else than the scenario says."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fenix.domain import Message, MoveAction, ProjectState, Reply
from fenix.simulation.managers import Answer, Manager
from fenix.simulation.running import Stage

Reaction = Callable[[Stage, Message, Answer], Awaitable[None]]


class Scripted:
    """Does as another manager does, except for messages of some states."""

    def __init__(self, stage: Stage, usual: Manager, reactions: Mapping[str, Reaction]) -> None:
        self._stage = stage
        self._usual = usual
        self._reactions = reactions

    async def handle(self, message: Message, answer: Answer) -> None:
        """See `Manager.handle`."""
        if reaction := self._reactions.get(message.state):
            await reaction(self._stage, message, answer)
        else:
            await self._usual.handle(message, answer)


def script(stage: Stage, project: str, **reactions: Reaction) -> None:
    """Lets a project's manager react otherwise; the keywords are the states of messages."""
    managers = stage.channel.managers
    managers[project] = Scripted(stage, managers[project], reactions)


async def silent(stage: Stage, message: Message, answer: Answer) -> None:
    """Says nothing."""


async def refuses(stage: Stage, message: Message, answer: Answer) -> None:
    """Answers NACK."""
    await say(stage, message, answer, ProjectState(message.state).nack)


async def agrees(stage: Stage, message: Message, answer: Answer) -> None:
    """Answers ACK and names no action."""
    await say(stage, message, answer, ProjectState(message.state).ack)


def chooses(**actions: MoveAction) -> Reaction:
    """Answers ACK with an action for each instance; the keywords are ids with _ for -."""
    chosen = {ident.replace("_", "-"): action for ident, action in actions.items()}

    async def react(stage: Stage, message: Message, answer: Answer) -> None:
        mine = {ident: chosen[ident] for ident in message.instance_ids if ident in chosen}
        await say(stage, message, answer, ProjectState(message.state).ack, instance_actions=mine)

    return react


async def say(stage: Stage, message: Message, answer: Answer, word: str, **changes: Any) -> None:
    """Sends a reply to a message, and has it in the record of what happened."""
    reply: dict[str, Any] = {
        "session_id": message.payload["session_id"],
        "project_id": message.project_id,
        "state": word,
    }
    reply |= changes
    stage.world.emit(
        "project.replied",
        project=reply["project_id"],
        state=word,
        instances=list(message.instance_ids),
    )
    await answer(Reply(**reply))


def gone_then(ident: str, otherwise: Reaction) -> Reaction:
    """Deletes an instance when asked about it and does something else then; agrees for others."""

    async def react(stage: Stage, message: Message, answer: Answer) -> None:
        if message.instance_ids == (ident,):
            stage.world.delete_instance(ident)
            await otherwise(stage, message, answer)
        else:
            word = ProjectState(message.state).ack
            await say(stage, message, answer, word, instance_id=message.instance_ids[0])

    return react
