"""The session's way to the cloud: waits while it is away, and never without the lease."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fenix.clouds import Cloud, CloudUnavailable
from fenix.engine.grip import Grip
from fenix.engine.settings import EngineSettings
from fenix.workflows import SessionFailed

log = logging.getLogger(__name__)

T = TypeVar("T")


class CloudAccess:
    """Calls the cloud for one session.

    Attributes:
        cloud: the driver.
    """

    def __init__(self, cloud: Cloud, grip: Grip, settings: EngineSettings, session_id: str) -> None:
        self.cloud = cloud
        self._grip = grip
        self._settings = settings
        self._session_id = session_id

    async def call(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Does a call that may be repeated, again and again while the cloud is away.

        Args:
            what: names the call in the log and in the reason of a failure.

        Raises:
            SessionFailed: the cloud was away for longer than `EngineSettings.cloud_outage`.
            CloudError: the cloud refuses.
            LeaseLost: another engine has the session.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._settings.cloud_outage
        while True:
            await self._grip.assure()
            try:
                return await attempt()
            except CloudUnavailable as error:
                if loop.time() >= give_up_at:
                    raise SessionFailed(
                        f"{what}: the cloud did not answer for "
                        f"{self._settings.cloud_outage:.0f} s: {error}"
                    ) from error
                log.warning("session %s: %s: %s; trying again", self._session_id, what, error)
                await asyncio.sleep(self._settings.cloud_retry)
