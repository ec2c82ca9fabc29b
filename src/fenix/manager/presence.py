"""Makes Fenix know the application: its subscription, and its constraints."""

import logging
import math

from fenix.manager.backoff import patiently
from fenix.manager.constraints import Registrar
from fenix.manager.errors import ManagerError
from fenix.manager.fenix_client import FenixClient
from fenix.manager.identity import Identity
from fenix.manager.memory import Memory
from fenix.manager.settings import ManagerSettings
from fenix.manager.tenant_cloud import TenantCloud
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)

_SUBSCRIPTION = "subscription"
_FAREWELL = 5.0
"""How long to try to unsubscribe when stopping, s."""


class Presence:
    """Introduces the manager, and takes leave."""

    def __init__(
        self,
        settings: ManagerSettings,
        cloud: TenantCloud,
        worker: Worker,
        memory: Memory,
        fenix: FenixClient,
        identity: Identity,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._memory = memory
        self._fenix = fenix
        self._identity = identity
        self._registrar = Registrar(settings, cloud, worker, fenix)

    @property
    def subscription(self) -> str | None:
        """The id of the subscription; empty or None: there is none."""
        return self._memory.recall(_SUBSCRIPTION)

    async def introduce(self) -> None:
        """Registers and subscribes, as soon as Fenix can be reached."""
        await self.register(math.inf)
        if not self._settings.subscribe:
            return
        try:
            await patiently("subscribe", math.inf, self._subscribe)
        except ManagerError as error:
            LOG.error("cannot subscribe: %s", error)

    async def register(self, patience: float) -> None:
        """Registers constraints, if that is wanted.

        Args:
            patience: seconds for which Fenix and the cloud may be unavailable.
        """
        if not self._settings.register_constraints:
            return
        try:
            await patiently("register constraints", patience, self._register)
        except ManagerError as error:
            LOG.error("cannot register constraints: %s", error)

    async def leave(self) -> None:
        """Unsubscribes. Constraints stay: the application lives on without its manager."""
        ident = self.subscription
        if not ident:
            return
        try:
            await patiently("unsubscribe", _FAREWELL, lambda: self._fenix.unsubscribe(ident))
            self._memory.keep(_SUBSCRIPTION, "")
        except ManagerError as error:
            LOG.warning("cannot unsubscribe: %s", error)

    async def _subscribe(self) -> None:
        # Asked again for what there is, Fenix gives the same subscription, and what waits for us
        # is not lost. Another one is of an earlier life that had another URL.
        old = self.subscription
        mine = self._settings
        new = await self._fenix.subscribe(mine.callback, mine.body_format, mine.secret)
        if old and old != new:
            await self._fenix.unsubscribe(old)
        self._memory.keep(_SUBSCRIPTION, new)
        LOG.info("subscribed: %s", new)

    async def _register(self) -> None:
        project_id = await self._worker(self._identity.project_id)
        await self._registrar.update(project_id)
