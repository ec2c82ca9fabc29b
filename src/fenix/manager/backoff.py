"""Trying again, with growing pauses: Fenix or the cloud may be restarting just now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fenix.manager.errors import Unavailable

LOG = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


async def patiently(what: str, patience: float, attempt: Callable[[], Awaitable[T]]) -> T:
    """Makes attempts until one works.

    Args:
        what: what is tried, for the log.
        patience: seconds after which no further attempt is begun; may be infinite.

    Raises:
        Unavailable: that of the last attempt; all other errors end it at once.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            if loop.time() + pause > end:
                raise
            LOG.warning("%s: %s; trying again in %.1f s", what, error, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
