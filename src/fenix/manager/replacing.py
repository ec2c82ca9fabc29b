"""OWN_ACTION: the application moves an instance by itself, by making a new one of the same name.

As with scaling, what is needed to finish is written down before the old instance is deleted.
"""

import logging

from fenix.manager.errors import Refused
from fenix.manager.memory import Memory
from fenix.manager.notice import Notice
from fenix.manager.tenant_cloud import TenantCloud
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)

OWN_ACTION = "OWN_ACTION"


class Replacing:
    """Replaces instances of one application, whose instances all have different names."""

    def __init__(self, cloud: TenantCloud, worker: Worker, memory: Memory) -> None:
        self._cloud = cloud
        self._worker = worker
        self._memory = memory

    async def replace(self, notice: Notice, instance_id: str) -> str:
        """Replaces an instance, unless that has been done; returns the id of the new one."""
        absence = self._memory.absence(instance_id)
        if absence is not None and absence.replaced_by is not None:
            return absence.replaced_by
        instances = await self._worker(self._cloud.instances)
        by_name = {instance.name: instance for instance in instances}
        old = next((instance for instance in instances if instance.id == instance_id), None)
        if old is not None:
            blueprint = await self._worker(self._cloud.blueprint, instance_id)
            self._memory.will_remove(notice, instance_id, old.name, OWN_ACTION, blueprint)
            new = await self._worker(self._cloud.replace, instance_id)
        elif absence is not None:  # we were interrupted between deleting and creating
            if absence.name in by_name:
                new = by_name[absence.name]
            else:
                new = await self._worker(self._cloud.create, absence.blueprint)
        else:
            raise Refused(f"instance {instance_id} is not ours")
        self._memory.came_back(instance_id, new.id)
        LOG.info("replaced %s: %s is now %s", new.name, instance_id, new.id)
        return new.id
