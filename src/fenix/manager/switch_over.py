"""Keeps the active instance of a redundant group away from what Fenix is about to move.

Users reach the active instance, so before its host is emptied, a standby takes over. A standby only
helps if it is not being moved itself: an instance counts as promised from our ACK until Fenix says
INSTANCE_ACTION_DONE.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence

from fenix.manager.errors import Refused
from fenix.manager.notice import Notice
from fenix.manager.tenant_cloud import TenantCloud, TenantInstance
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)

_LOOK_AGAIN = 1.0
"""The cloud does not say when an instance becomes ready, s."""


class SwitchOver:
    """Switches over, and keeps the list of what is promised.

    Attributes:
        turn: to be held from the beginning of a question until its first `attempt`, so that
            questions about one group are settled in the order in which Fenix asked them: it may
            have planned to move the second instance only after the first.

    Args:
        timeout: seconds to wait until a standby is free.
    """

    def __init__(self, cloud: TenantCloud, worker: Worker, timeout: float) -> None:
        self.turn = asyncio.Lock()
        self._cloud = cloud
        self._worker = worker
        self._timeout = timeout
        self._promised: set[str] = set()
        self._moved: dict[tuple[str, str], int] = {}
        self._freed = asyncio.Event()

    @property
    def promised(self) -> frozenset[str]:
        """The ids of the instances that Fenix may move at any time."""
        return frozenset(self._promised)

    def moved(self, notice: Notice) -> None:
        """Ends promises by INSTANCE_ACTION_DONE."""
        for ident in notice.instance_ids:
            self._moved[notice.session_id, ident] = notice.sequence or 0
        self.free(notice.instance_ids)

    def free(self, ids: Collection[str]) -> None:
        """Ends promises: these are ours again."""
        self._promised.difference_update(ids)
        self._freed.set()
        self._freed = asyncio.Event()

    def free_all(self) -> None:
        """Ends all promises: Fenix moves nothing any more."""
        self._moved.clear()
        self.free(self.promised)

    async def attempt(
        self, notice: Notice, ids: Collection[str], instances: Sequence[TenantInstance]
    ) -> Sequence[TenantInstance]:
        """Makes sure that none of these is active, and promises them, if that works now.

        Args:
            notice: the question.
            ids: the instances that it is about.
            instances: all of the application's, as they are now.

        Returns:
            The active ones that no standby can replace yet; if there are any, nothing is promised.
        """
        blocked = []
        for active in instances:
            if not (active.active and active.id in ids):
                continue
            standbys = [
                other
                for other in instances
                if active.group_id and other.group_id == active.group_id
                if other.id not in ids and not other.active
            ]
            free = [other for other in standbys if other.ready and other.id not in self._promised]
            if free:
                LOG.info("switching over from %s to %s", active.name, free[0].name)
                await self._worker(self._cloud.make_active, active.id, free[0].id)
            elif standbys:
                blocked.append(active)
            else:
                LOG.warning("%s is active and has no standby: it is interrupted", active.name)
        if not blocked:
            self._promised.update(ident for ident in ids if not self._is_moved(notice, ident))
        return blocked

    async def insist(
        self, notice: Notice, ids: Collection[str], blocked: Sequence[TenantInstance]
    ) -> None:
        """Repeats `attempt` until a standby can take over.

        Args:
            blocked: what `attempt` returned.

        Raises:
            Refused: no standby became free in time.
        """
        try:
            async with asyncio.timeout(self._timeout):
                while blocked:
                    await _wait(self._freed)
                    async with self.turn:
                        instances = await self._worker(self._cloud.instances)
                        blocked = await self.attempt(notice, ids, instances)
        except TimeoutError:
            names = ", ".join(instance.name for instance in blocked)
            raise Refused(
                f"no standby of {names} was free within {self._timeout} s: all are being moved"
            ) from None

    def _is_moved(self, notice: Notice, ident: str) -> bool:
        """Whether a later message says so: Fenix did not wait for us, or they came out of order."""
        return self._moved.get((notice.session_id, ident), 0) > (notice.sequence or 0)


async def _wait(freed: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_LOOK_AGAIN):
            await freed.wait()
    except TimeoutError:
        pass
