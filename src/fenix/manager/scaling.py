"""Gives capacity back when Fenix asks for it, and takes it again when all is over.

What is to be deleted is written down first. So a message that comes twice, or after a crash, finds
what it has deleted already instead of deleting more.
"""

import asyncio
import logging
from collections.abc import Sequence

from fenix.manager.memory import Memory
from fenix.manager.notice import SCALE_IN, Notice
from fenix.manager.settings import ManagerSettings
from fenix.manager.tenant_cloud import TenantCloud, TenantInstance
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)


class Scaling:
    """Scales one application, whose instances all have different names."""

    def __init__(
        self, settings: ManagerSettings, cloud: TenantCloud, worker: Worker, memory: Memory
    ) -> None:
        self._settings = settings
        self._cloud = cloud
        self._worker = worker
        self._memory = memory

    async def scale_in(self, notice: Notice) -> int:
        """Deletes instances for a SCALE_IN, and returns when they are gone.

        Returns:
            How many this message has deleted; 0: nothing is left that may be.
        """
        instances = await self._worker(self._cloud.instances)
        gone = [absence for absence in self._memory.missing() if absence.why == SCALE_IN]
        chosen = {absence.instance_id for absence in gone if absence.message_id == notice.id}
        for instance in self._choose(instances, already=len(chosen), missing=len(gone)):
            blueprint = await self._worker(self._cloud.blueprint, instance.id)
            self._memory.will_remove(notice, instance.id, instance.name, SCALE_IN, blueprint)
            chosen.add(instance.id)
        present = {instance.id: instance for instance in instances}
        await self._delete([present[ident] for ident in chosen if ident in present])
        return len(chosen)

    async def scale_out(self) -> None:
        """Makes again whatever we deleted, with the names and groups that it had."""
        instances = await self._worker(self._cloud.instances)
        by_name = {instance.name: instance for instance in instances}
        for absence in self._memory.missing():
            back = by_name.get(absence.name)
            if back is None:
                back = await self._worker(self._cloud.create, absence.blueprint)
                LOG.info("created %s as %s", back.name, back.id)
            self._memory.came_back(absence.instance_id, back.id)

    def _choose(
        self, instances: Sequence[TenantInstance], already: int, missing: int
    ) -> Sequence[TenantInstance]:
        """The youngest that may go, as many as are still wanted and allowed."""
        wanted = self._settings.scale_in - already
        if self._settings.scale_in_max is not None:
            wanted = min(wanted, self._settings.scale_in_max - missing)
        removable = [
            instance
            for instance in reversed(instances)
            if not instance.active and self._settings.is_removable(instance.name, instance.group_id)
        ]
        return removable[: max(0, wanted)]

    async def _delete(self, instances: Sequence[TenantInstance]) -> None:
        LOG.info("deleting %s", ", ".join(instance.name for instance in instances) or "nothing")
        results = await asyncio.gather(
            *(self._worker(self._cloud.delete, instance.id) for instance in instances),
            return_exceptions=True,
        )
        for failure in results:
            if isinstance(failure, BaseException):
                raise failure
