"""One reading of something large for all that ask for it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Reads something large for all that ask while another read is under way.

    A thousand hosts that are each looked at would else read the whole cloud a thousand times. What
    somebody gets was always read after the question.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._one_at_a_time = asyncio.Lock()
        self._waiting: list[asyncio.Future[T]] = []

    async def __call__(self) -> T:
        """What is read now; raises what the reading raises."""
        mine: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        async with self._one_at_a_time:
            if not mine.done():
                asked, self._waiting = self._waiting, []
                await self._answer(asked)
        return mine.result()

    async def _answer(self, asked: Sequence[asyncio.Future[T]]) -> None:
        try:
            found = await self._read()
        except Exception as error:
            for one in asked:
                one.set_exception(error)
                one.exception()  # who has asked may be gone
        except BaseException:
            self._waiting = [*asked, *self._waiting]
            raise
        else:
            for one in asked:
                one.set_result(found)
