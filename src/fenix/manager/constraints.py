"""Tells Fenix what the application can bear, and keeps that up to date.

Without constraints Fenix assumes defaults. With them it knows how many members of a group may be
away at one time, and how much notice the application wants (wire contract, "Constraints").
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fenix.manager.fenix_client import FenixClient
from fenix.manager.settings import ManagerSettings
from fenix.manager.tenant_cloud import TenantCloud, TenantGroup, TenantInstance
from fenix.manager.worker import Worker

Bodies = dict[tuple[str, str], dict[str, Any]]
"""What to put, by kind and id."""


class Registrar:
    """Registers constraints, and afterwards only what has changed."""

    def __init__(
        self, settings: ManagerSettings, cloud: TenantCloud, worker: Worker, fenix: FenixClient
    ) -> None:
        self._settings = settings
        self._cloud = cloud
        self._worker = worker
        self._fenix = fenix
        self._registered: Bodies = {}
        self._lock = asyncio.Lock()

    async def update(self, project_id: str) -> None:
        """Brings Fenix up to date with the cloud."""
        async with self._lock:
            groups = await self._worker(self._cloud.groups)
            instances = await self._worker(self._cloud.instances)
            wanted = constraints(self._settings, project_id, groups, instances)
            for key, body in wanted.items():
                if self._registered.get(key) != body:
                    await self._fenix.put_constraints(*key, body)
                    self._registered[key] = body
            for key in [key for key in self._registered if key not in wanted]:
                await self._fenix.delete_constraints(*key)
                del self._registered[key]


def constraints(
    settings: ManagerSettings,
    project_id: str,
    groups: Sequence[TenantGroup],
    instances: Sequence[TenantInstance],
) -> Bodies:
    """The constraints of an application, groups first.

    Every instance needs a group. Those that the cloud has in none share one that only Fenix knows.
    """
    rest = str(uuid5(NAMESPACE_URL, f"{project_id}/ungrouped"))
    known = [*groups, TenantGroup(rest, "ungrouped", False, 0)]
    bodies: Bodies = {
        ("instance_group", group.id): _group(settings, project_id, group) for group in known
    }
    for instance in instances:
        bodies["instance", instance.id] = {
            "instance_id": instance.id,
            "project_id": project_id,
            "group_id": instance.group_id or rest,
            "instance_name": instance.name,
            "max_interruption_time": settings.max_interruption_time,
            "migration_type": settings.action_for(instance.name),
            "resource_mitigation": False,
            "lead_time": settings.lead_time,
        }
    return bodies


def _group(settings: ManagerSettings, project_id: str, group: TenantGroup) -> dict[str, Any]:
    return {
        "group_id": group.id,
        "project_id": project_id,
        "group_name": group.name,
        "anti_affinity_group": group.anti_affinity,
        "max_instances_per_host": group.max_instances_per_host,
        "max_impacted_members": 1 if group.anti_affinity else settings.max_impacted_members,
        "recovery_time": settings.recovery_time,
        "resource_mitigation": False,
    }
