"""One look at the cloud for all that ask meanwhile."""

import asyncio

import pytest

from fenix.engine.shared import Shared


class Cloud:
    """Each read takes until it is let go; its result tells what had happened when it began."""

    def __init__(self) -> None:
        self.happened = 0
        self.reads = 0
        self.fails = False
        self.go = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        seen = self.happened
        await self.go.wait()
        if self.fails:
            self.fails = False
            raise ConnectionError("no answer")
        return seen


async def ask(cloud: Cloud, look: Shared[int], count: int) -> list[asyncio.Task[int]]:
    """Many ask, each after something has happened."""
    tasks = []
    for _ in range(count):
        cloud.happened += 1
        tasks.append(asyncio.create_task(look()))
        await asyncio.sleep(0)
    return tasks


def test_those_who_ask_meanwhile_share_the_next_look() -> None:
    async def run() -> None:
        cloud = Cloud()
        look = Shared(cloud.read)
        tasks = await ask(cloud, look, 50)
        cloud.go.set()
        assert await asyncio.gather(*tasks) == [1] + [50] * 49
        assert cloud.reads == 2
        cloud.happened = 99
        assert await look() == 99  # nothing old for who asks later
        assert cloud.reads == 3

    asyncio.run(run())


def test_a_look_fails_for_all_who_share_it_and_is_given_up_by_one() -> None:
    async def run() -> None:
        cloud = Cloud()
        look = Shared(cloud.read)
        first, second, *others = await ask(cloud, look, 5)
        first.cancel()
        await asyncio.sleep(0)
        cloud.fails = True
        cloud.go.set()
        for one in (second, *others):
            with pytest.raises(ConnectionError):
                await one
        assert first.cancelled()
        assert cloud.reads == 2
        assert await look() == 5

    asyncio.run(run())
