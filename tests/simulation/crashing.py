"""Kills engines at chosen steps of a session, one after the other, and checks what is left.

The step is one of the engine's outward effects: a write, a message, a call of the cloud, the start
of an action (see `fenix.simulation.crashes`). Whatever the step was, the session has to come to
the same end, with the same messages, moves and actions, each once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

from fenix.domain import EventType
from fenix.engine import Engine
from fenix.engine.reasons import leaves
from fenix.simulation.crashes import Crashed, Gate
from fenix.simulation.scenario import Scenario
from tests.simulation.play import Ending, Play, Story, perform


@dataclass(frozen=True)
class Crash:
    """When an engine dies.

    Attributes:
        at: number of its effect, from 1; None: it does not die.
        after: it has just done it; else it is just about to.
    """

    at: int | None
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} effect {self.at}"


SURVIVES = Crash(None)


def crash_points(gate: Gate, since: float = 0.0) -> Iterator[Crash]:
    """Each effect of an engine from a time on, just before and just after it."""
    for at, time in enumerate(gate.times, 1):
        if time >= since:
            yield Crash(at)
            yield Crash(at, after=True)


def perform_with_crashes(
    scenario: Scenario, *crashes: Crash, story: Story | None = None, **more: Any
) -> tuple[list[Gate], Ending]:
    """Plays a scenario with an engine for each crash, and one more that survives.

    Args:
        more: see `perform`.

    Returns:
        What the engines did one after the other, and the ending.
    """
    gates = [Gate(crash.at, crash.after) for crash in (*crashes, SURVIVES)]

    def cast(play: Play) -> None:
        play.running["engines"] = play.tasks.create_task(_one_after_the_other(play, gates))

    return gates, perform(scenario, story, cast=cast, **more)


async def _one_after_the_other(play: Play, gates: Sequence[Gate]) -> None:
    for number, gate in enumerate(gates, 1):
        engine = Engine(gate.around(play.stage.tools()), f"engine-{number}")
        play.stage.engines.append(engine)
        living = asyncio.ensure_future(engine.run())
        dying = asyncio.ensure_future(gate.died.wait())
        try:
            await asyncio.wait([living, dying], return_when=asyncio.FIRST_COMPLETED)
        finally:
            play.stage.engines.remove(engine)
            dying.cancel()
            living.cancel()
            await asyncio.wait([living])
            _check_death(living)


def _check_death(life: asyncio.Future[None]) -> None:
    """An engine ends by nothing but the crash that it was meant to have."""
    if not life.cancelled() and (error := life.exception()):
        unexpected = [leaf for leaf in leaves(error) if not isinstance(leaf, Crashed)]
        assert not unexpected, unexpected


@dataclass(frozen=True)
class Deeds:
    """All that a session did to the world, in a form that can be compared.

    Attributes:
        moves: how often an instance was moved from a host to another.
        runs: how often an action was started on a host.
        questions: the keys of the messages to projects, hosts' messages included.
        states: what administrators were told, in that order.
    """

    moves: Counter[tuple[str, str, str]]
    runs: Counter[tuple[str, str]]
    questions: frozenset[str]
    states: tuple[str, ...]

    @classmethod
    def of(cls, ending: Ending) -> "Deeds":
        """What was done until an ending."""
        started = ending.of("instance.move.started")
        once = {message.id: message for message in ending.sent}.values()
        return cls(
            moves=Counter((one["instance"], one["source"], one["target"]) for one in started),
            runs=Counter(ending.stage.actions.starts),
            questions=frozenset(
                message.key for message in once if message.event_type is not EventType.SESSION
            ),
            states=tuple(
                state
                for state, _ in groupby(
                    message.state for message in once if message.event_type is EventType.SESSION
                )
            ),
        )

    def unlike(self, other: "Deeds") -> list[str]:
        """What differs, in words."""
        return [
            f"{one.name}: {getattr(self, one.name)} instead of {getattr(other, one.name)}"
            for one in fields(self)
            if getattr(self, one.name) != getattr(other, one.name)
        ]


def failures(points: Sequence[Crash], play: Callable[[Crash], Deeds], expected: Deeds) -> list[str]:
    """Crashes at each point; what came out differently, in words."""
    found = []
    for point in points:
        try:
            deeds = play(point)
        except Exception as error:
            told = "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in leaves(error))
            found.append(f"{point}: {told}")
        else:
            found += [f"{point}: {difference}" for difference in deeds.unlike(expected)]
    return found
