"""The simulated cloud tells moves of a session from those of earlier sessions."""

import asyncio
from datetime import datetime, timedelta

from fenix.clouds import MovePhase, MoveTicket
from fenix.clouds.simulated import SimulatedCloud, SimulatedHost, SimulatedInstance, World
from fenix.domain import MoveAction, Resources
from fenix.simulation import clock

SIZE = Resources(1, 1024, 10)
LIVE = MoveAction.LIVE_MIGRATE


def ticket(at: datetime, *known: str) -> MoveTicket:
    return MoveTicket("i", LIVE, "a", "b", at, frozenset(known))


def test_an_earlier_sessions_move_is_not_meant() -> None:
    async def test() -> None:
        now = clock.virtual_now()
        cloud = SimulatedCloud(
            World(
                [SimulatedHost(name, SIZE) for name in "ab"],
                (),
                [SimulatedInstance("i", "i", "app", SIZE, "a")],
            ),
            now,
        )

        async def phase(one: MoveTicket) -> MovePhase:
            (status,) = await cloud.watch_moves([one], 1000)
            return status.phase

        first = ticket(now())
        await cloud.start_move("i", LIVE, "b")
        assert await phase(first) is MovePhase.DONE
        await asyncio.sleep(5)
        later = ticket(now())
        # The engine that intended it may die before it has asked for it.
        assert await phase(later) is MovePhase.NOT_STARTED
        await cloud.start_move("i", LIVE, "a")
        # A database without fractions of a second rounds the time up.
        assert await phase(ticket(later.started_at + timedelta(seconds=0.5))) is MovePhase.DONE

    clock.run(test())
