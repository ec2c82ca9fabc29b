"""Application managers whose answers go wrong, as a scenario's faults say."""

import asyncio
from collections.abc import Iterable

from fenix.clouds.simulated import World
from fenix.domain import Message, ProjectState, Reply
from fenix.simulation.managers import Answer, Manager
from fenix.simulation.scenario import FaultModel, ReplyFault


class FaultyManager:
    """Does as another manager does, unless a fault is due.

    Args:
        faults: those of the manager's project; each counts down its `times`.
    """

    def __init__(self, usual: Manager, faults: Iterable[FaultModel], world: World) -> None:
        self._usual = usual
        self._left = [(fault, [None] * fault.times) for fault in faults]
        self._world = world

    async def handle(self, message: Message, answer: Answer) -> None:
        """See `Manager.handle`."""
        fault = self._next(ProjectState(message.state))
        match fault.reply if fault else None:
            case None:
                await self._usual.handle(message, answer)
            case ReplyFault.SILENT:
                pass
            case ReplyFault.NACK:
                await self._say(message, answer, ProjectState(message.state).nack)
            case ReplyFault.LATE:
                assert fault is not None
                await asyncio.sleep(fault.delay)
                await self._usual.handle(message, answer)
            case ReplyFault.DOUBLE:
                await self._usual.handle(message, _twice(answer))
            case ReplyFault.WRONG_STATE:
                await self._say(message, answer, _another(ProjectState(message.state)).ack)

    def _next(self, state: ProjectState) -> FaultModel | None:
        if state is ProjectState.INSTANCE_ACTION_DONE:
            return None
        for fault, left in self._left:
            if left and fault.state in (None, state):
                left.pop()
                return fault
        return None

    async def _say(self, message: Message, answer: Answer, word: str) -> None:
        self._world.emit(
            "project.replied",
            project=message.project_id,
            state=word,
            instances=list(message.instance_ids),
        )
        about_one = message.payload["reply_url"].rsplit("/", 1)[-1] in message.instance_ids
        await answer(
            Reply(
                session_id=message.payload["session_id"],
                project_id=message.project_id,
                state=word,
                instance_id=message.instance_ids[0] if about_one else None,
            )
        )


def _twice(answer: Answer) -> Answer:
    async def say(reply: Reply) -> None:
        await answer(reply)
        await answer(reply)

    return say


def _another(state: ProjectState) -> ProjectState:
    return (
        ProjectState.MAINTENANCE
        if state is not ProjectState.MAINTENANCE
        else ProjectState.MAINTENANCE_COMPLETE
    )
