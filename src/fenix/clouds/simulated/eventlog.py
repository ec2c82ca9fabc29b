"""What really happened in a simulated cloud, line by line, for those who test with processes.

The lines have the form of the scenario format ("Events"), and besides `n`, which counts them from
1, and `at`, naive UTC, which can be compared with the clocks of other processes.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fenix.clouds.simulated.world import World


class EventLog:
    """Keeps all events of a world; to be made in the event loop that the world lives in."""

    def __init__(self, world: World) -> None:
        self._start = asyncio.get_running_loop().time()
        self._lines: list[str] = []
        self._grown = asyncio.Event()
        world.listeners.append(self.write)

    def write(self, now: float, kind: str, keys: Mapping[str, Any]) -> None:
        """Adds a line.

        Args:
            now: the event loop's time, s.
        """
        at = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        line = {
            **keys,
            "n": len(self._lines) + 1,
            "t": round(now - self._start, 6),
            "at": at,
            "event": kind,
        }
        self._lines.append(json.dumps(line))
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, after: int, wait: float) -> Sequence[str]:
        """The lines behind number `after`, waiting up to `wait` seconds until there is one."""
        if len(self._lines) <= after and wait:
            try:
                async with asyncio.timeout(wait):
                    while len(self._lines) <= after:
                        await self._grown.wait()
            except TimeoutError:
                pass
        return self._lines[after:]
