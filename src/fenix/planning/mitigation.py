"""Keeps room for a replacement of an instance while it is impacted, where its application wants it.

An application that sets `resource_mitigation` wants to have a replacement before its instance is
impacted (wire contract, "Constraints"). It builds that by itself, before it agrees to the move; so
from the question until the move has ended there has to be room for one more of its kind.
"""

from collections.abc import Collection
from dataclasses import replace

from fenix.domain import Constraints, Instance
from fenix.planning.places import Places
from fenix.planning.tasks import Task


class Mitigation:
    """The room that is kept, in the books of `places`."""

    def __init__(self, places: Places, constraints: Constraints) -> None:
        self._places = places
        self._constraints = constraints
        self._kept: dict[str, tuple[Instance, str]] = {}
        self._waiting: dict[str, Instance] = {}
        self._waived: set[str] = set()

    @property
    def kept(self) -> Collection[tuple[Instance, str]]:
        """The replacements that room is kept for, each with its host."""
        return self._kept.values()

    def heed(self, constraints: Constraints) -> None:
        """Goes by other constraints from now on."""
        self._constraints = constraints

    def wanted(self, instance: Instance) -> bool:
        """Whether the application wants it, for the instance or for its whole group."""
        mine = self._constraints.instances.get(instance.id)
        group = self._constraints.groups.get((mine and mine.group_id) or instance.group_id or "")
        return bool((mine and mine.resource_mitigation) or (group and group.resource_mitigation))

    def keep(self, task: Task) -> bool:
        """Keeps room for a replacement if it is wanted; whether the instance may be asked for."""
        instance = task.instance
        if instance.id in self._kept or instance.id in self._waived or not self.wanted(instance):
            return True
        replacement = replace(instance, id=f"replacement-of-{instance.id}")
        places = self._places
        host = places.ready.best(replacement, (task.source,)) or places.holes.best(
            replacement, (task.source,)
        )
        if host is None:
            self._waiting[instance.id] = instance
            return False
        places.put(replacement, host)
        self._kept[instance.id] = replacement, host
        self._waiting.pop(instance.id, None)
        return True

    def release(self, instance: Instance) -> None:
        """Gives the room back, if there is any: the instance is not impacted any more."""
        self._waiting.pop(instance.id, None)
        self._waived.discard(instance.id)
        if kept := self._kept.pop(instance.id, None):
            self._places.take(*kept)

    def arrived(self, instance: Instance) -> None:
        """A new instance may be the replacement for which room was kept."""
        for ident, (kept, host) in self._kept.items():
            alike = kept.project_id == instance.project_id and kept.size == instance.size
            if alike and kept.group_id == instance.group_id:
                self._places.take(kept, host)
                del self._kept[ident]
                self._waived.add(ident)
                return

    def waive(self) -> list[Instance]:
        """Lets instances be asked for without that room; to be called when nothing is under way.

        Returns:
            Those that were waiting for it.
        """
        found = list(self._waiting.values())
        self._waived.update(self._waiting)
        self._waiting.clear()
        return found
