"""Virtual time: the event loop jumps to the next timer as soon as nothing else is to be done."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import looptime

T = TypeVar("T")

EPOCH = datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The time of day, naive UTC, at which every simulation starts; real time plays no part."""


class _Loop(looptime.LoopTimeEventLoop, asyncio.SelectorEventLoop):
    pass


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in virtual time that starts at 0."""
    # Everything runs in this one thread: there is nothing outside to give cycles to.
    with asyncio.Runner(loop_factory=lambda: _Loop(start=0, noop_cycles=0)) as runner:
        return runner.run(work)


def virtual_now() -> Callable[[], datetime]:
    """The time of day in virtual time, from now on."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    return lambda: EPOCH + timedelta(seconds=loop.time() - start)
