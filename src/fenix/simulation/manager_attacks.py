"""Application managers that lose messages and answer whatever comes to their mind.

What reaches Fenix from them passes through the same intake as replies over HTTP. That a token of
one project can't answer for another one is the API's matter, and is not simulated.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from fenix.domain import Message, ProjectState, Reply
from fenix.simulation.managers import Answer, Manager
from fenix.simulation.running import Stage

LOST = 0.3
"""Share of messages that a manager takes and forgets."""
DOUBLED = 0.3
"""Share of replies that come twice."""
ODD = 0.15
"""Share of messages that get each kind of odd answer."""
LATEST = 2000.0
"""Longest delay of a late answer, s; longer than any time for an answer."""
TOLERANCE = 1.0
"""Seconds after the time for an answer in which the policy for silence must have been applied."""


class HostileManager:
    """Does as another manager does, and much else besides.

    Args:
        strangers: ids of instances of other projects.
    """

    def __init__(self, usual: Manager, chance: random.Random, strangers: Sequence[str]) -> None:
        self._usual = usual
        self._chance = chance
        self._strangers = strangers

    async def handle(self, message: Message, answer: Answer) -> None:
        """See `Manager.handle`."""
        if self._happens(LOST):
            return
        if self._happens(ODD):
            await asyncio.sleep(self._chance.uniform(0, LATEST))
        for senseless in self._senseless(message):
            await answer(senseless)
        twice = self._happens(DOUBLED)

        async def say(reply: Reply) -> None:
            await answer(reply)
            if twice:
                await answer(reply)

        await self._usual.handle(message, say)

    def _senseless(self, message: Message) -> Iterator[Reply]:
        """Answers that must not count for anything."""
        pick = self._chance
        states = [state for state in ProjectState if state != message.state]
        word = pick.choice(("ACK", "NACK"))
        reply = Reply(message.payload["session_id"], message.project_id, f"{word}_{message.state}")
        if self._happens(ODD):
            yield replace(reply, state=f"{word}_{pick.choice(states)}")
        if self._happens(ODD):
            yield replace(reply, session_id=str(UUID(int=pick.getrandbits(128))))
        if self._happens(ODD):
            yield replace(reply, project_id="nobody")
        if self._happens(ODD) and self._strangers:
            yield replace(reply, instance_id=pick.choice(self._strangers))

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share


def make_hostile(seed: int, stage: Stage) -> None:
    """Puts such managers in the place of all that there are."""
    managers = stage.channel.managers
    for ident, manager in managers.items():
        strangers = [one.id for one in stage.scenario.instances if one.project != ident]
        chance = random.Random(f"manager {ident} of {seed}")
        managers[ident] = HostileManager(manager, chance, strangers)


def overdue(messages: Sequence[Message], failed: bool) -> list[str]:
    """Questions for which silence was not taken as an answer in time, in words.

    Holds where one engine had the session all the time, and channels took every message at once.

    Args:
        failed: the session failed; answers may still come while it is wound up, and do nothing.
    """
    found = []
    for message in messages:
        if message.reply_by is None or message.replied_at is None or message.reply is None:
            continue
        late = (message.replied_at - message.reply_by).total_seconds()
        if message.reply["state"] is None and not 0 <= late <= TOLERANCE:
            found.append(f"silence about {message.key} was final {late:g} s after its time")
        if message.reply["state"] is not None and late > TOLERANCE and not failed:
            found.append(f"the answer to {message.key} counted {late:g} s after its time")
    return found
