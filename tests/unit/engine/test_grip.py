"""An engine acts only while it knows that no other can have taken over."""

import asyncio

import pytest

from fenix.engine.grip import MARGIN, Grip
from fenix.simulation import clock
from fenix.store import Lease, LeaseLost

SECONDS = 100.0


def grip() -> Grip:
    return Grip(Lease("s", "engine-1", 1, 1), SECONDS, asyncio.get_running_loop().time())


async def waits(one: Grip, seconds: float) -> bool:
    """Whether an effect is still not allowed after some seconds."""
    try:
        async with asyncio.timeout(seconds):
            await one.assure()
    except TimeoutError:
        return True
    return False


def test_it_holds_for_a_part_of_the_lease_and_then_waits() -> None:
    async def test() -> None:
        one = grip()
        assert not await waits(one, 1)
        await asyncio.sleep(SECONDS * MARGIN - 1)
        assert not await waits(one, 1)
        await asyncio.sleep(2)
        assert await waits(one, 1000)

    clock.run(test())


def test_a_renewal_counts_from_when_it_began() -> None:
    async def test() -> None:
        one, loop = grip(), asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(200)
        one.renewed(began + 100)
        assert await waits(one, 10), "that was too long ago"
        waiting = asyncio.ensure_future(one.assure())
        await asyncio.sleep(1)
        one.renewed(loop.time() - 5)
        await waiting
        await asyncio.sleep(SECONDS * MARGIN - 5)
        assert await waits(one, 10)

    clock.run(test())


def test_an_older_renewal_does_not_shorten_it() -> None:
    async def test() -> None:
        one, loop = grip(), asyncio.get_running_loop()
        await asyncio.sleep(50)
        one.renewed(loop.time())
        one.renewed(loop.time() - 40)
        await asyncio.sleep(SECONDS * MARGIN - 1)
        assert not await waits(one, 0.5)

    clock.run(test())


def test_who_waits_is_told_when_it_is_lost_for_good() -> None:
    async def test() -> None:
        one = grip()
        await asyncio.sleep(SECONDS)
        waiting = asyncio.ensure_future(one.assure())
        await asyncio.sleep(1)
        one.lose()
        with pytest.raises(LeaseLost, match="session s"):
            await waiting
        one.renewed(asyncio.get_running_loop().time())
        with pytest.raises(LeaseLost):
            await one.assure()

    clock.run(test())
