"""The session's way to the cloud: waits while it is away, and never without the lease."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from fenix.clouds import Cloud, CloudUnavailable
from fenix.engine.grip import Grip
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.engine.waits import Waits
from fenix.workflows import SessionFailed

log = logging.getLogger(__name__)

T = TypeVar("T")


class CloudAccess:
    """Calls the cloud for one session.

    Attributes:
        cloud: the driver.
    """

    def __init__(
        self, cloud: Cloud, grip: Grip, settings: EngineSettings, data: SessionData, waits: Waits
    ) -> None:
        self.cloud = cloud
        self._grip = grip
        self._settings = settings
        self._data = data
        self._waits = waits

    async def call(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Does a call that may be repeated, again and again while the cloud is away.

        A session that is being ended waits for as long as it takes: no host may stay disabled.

        Args:
            what: names the call in the log and in the reason of a failure.

        Raises:
            SessionFailed: the cloud was away for longer than `EngineSettings.cloud_outage`.
            CloudError: the cloud refuses.
            LeaseLost: another engine has the session.
        """
        await self._grip.assure()
        try:
            return await attempt()
        except CloudUnavailable as error:
            return await self._again(what, attempt, error)

    async def _again(
        self, what: str, attempt: Callable[[], Awaitable[T]], error: CloudUnavailable
    ) -> T:
        limit = self._settings.cloud_outage
        since = asyncio.get_running_loop().time()
        ending = self._data.session.ending is not None
        until = None if ending else self._data.now() + timedelta(seconds=limit)
        with self._waits.waiting("cloud", f"answer: {what}", until):
            while True:
                if not ending and asyncio.get_running_loop().time() >= since + limit:
                    raise SessionFailed(
                        f"{what}: the cloud did not answer for {limit:.0f} s: {error}"
                    ) from error
                log.warning("session %s: %s: %s; trying again", self._data.session.id, what, error)
                await asyncio.sleep(self._settings.cloud_retry)
                await self._grip.assure()
                try:
                    return await attempt()
                except CloudUnavailable as another:
                    error = another
