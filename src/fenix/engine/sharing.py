"""Which sessions an engine takes: its share of all, so that none idles while another has too many.

Nothing is agreed upon. Each engine looks at the same tables and counts the engines that show life:
its share is the sessions by their number, rounded up. What the others leave for a loop it takes
nevertheless, so that a wrong count only delays.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

from fenix.engine.settings import EngineSettings
from fenix.store import Lease
from fenix.store.leases import View


@dataclass(frozen=True, slots=True)
class Choice:
    """What an engine should do now.

    Attributes:
        share: how many sessions it should have at most.
        within: leases that it may take as long as it has fewer.
        beyond: leases that it should take although it has more.
        surplus: a session that it should give to others.
    """

    share: int
    within: Collection[Lease]
    beyond: Collection[Lease]
    surplus: str | None


class Sharing:
    """Watches leases and engines, by the event loop's time in seconds.

    Args:
        engine_id: the engine that takes.
    """

    def __init__(self, engine_id: str, settings: EngineSettings) -> None:
        self._id = engine_id
        self._settings = settings
        self._seen: dict[str, tuple[object, float]] = {}

    def forget(self) -> None:
        """The database was away: what was seen before says nothing about who is alive now."""
        self._seen.clear()

    def choose(self, view: View, owned: Collection[str], now: float) -> Choice:
        """What to take and to give.

        Args:
            owned: the sessions that it works on.
        """
        limit, loop = self._settings.lease_seconds, self._settings.loop_interval
        silence = {one.session_id: self._silence(one.session_id, one, now) for one in view.leases}
        dead = {one.owner for one in view.leases if silence[one.session_id] >= limit}
        machines = {
            one.id: one.hostname
            for one in view.engines
            if self._silence(one.id, one.beat, now) < limit and one.id not in dead
        } | {self._id: self._settings.machine}
        share = math.ceil(len(view.leases) / len(machines))
        within, beyond = [], []
        for lease in view.leases:
            if lease.session_id in owned:
                continue
            free_for = silence[lease.session_id] - (limit if lease.owner else 0)
            # One that is ours and that nobody here works on: the answer to taking it, or to giving
            # it back, was lost. It would be renewed for ever.
            if lease.owner == self._id or free_for >= loop:
                beyond.append(lease)
            elif free_for >= 0 and not self._elsewhere(lease, view, machines.values()):
                within.append(lease)
        return Choice(share, within, beyond, self._surplus(view, owned, share, now))

    def _elsewhere(self, lease: Lease, view: View, machines: Collection[str]) -> bool:
        """Whether the process of an action is on a machine with an engine, which can join it."""
        where = view.machines.get(lease.session_id)
        return where is not None and where != self._settings.machine and where in machines

    def _surplus(self, view: View, owned: Collection[str], share: int, now: float) -> str | None:
        """The youngest session, if there have been too many for so long that the count is right."""
        too_many = len(owned) - share
        since = self._silence("surplus", max(0, too_many), now)
        if too_many <= 0 or since < self._settings.lease_seconds:
            return None
        mine = [one.session_id for one in view.leases if one.session_id in owned]
        return next((one for one in reversed(mine) if one not in view.machines), None)

    def _silence(self, key: str, state: object, now: float) -> float:
        """For how long something has been as it is."""
        before = self._seen.get(key)
        if before is None or before[0] != state:
            self._seen[key] = (state, now)
            return 0.0
        return now - before[1]
