"""The action runner of a simulation: plug-in `simulated` in virtual time.

It belongs to the world, not to the engine: a run goes on when the engine dies, and another engine
joins it by its id.
"""

import asyncio
from collections import Counter

from fenix.actions import ActionRequest, ActionResult
from fenix.clouds.simulated import World


class HostWork:
    """Runs actions in virtual time.

    Attributes:
        starts: how often each run was started; more than once would be a fault.
        failing: hosts whose work fails, with the reason.
    """

    def __init__(self, world: World, tasks: asyncio.TaskGroup) -> None:
        self._world = world
        self._tasks = tasks
        self._runs: dict[str, asyncio.Task[ActionResult]] = {}
        self.starts: Counter[tuple[str, str]] = Counter()
        self.failing: dict[str, str] = {}

    async def run(self, request: ActionRequest) -> ActionResult:
        """See `ActionRunner.run`."""
        if request.run_id not in self._runs:
            self.starts[request.host or request.type, request.plugin] += 1
            self._runs[request.run_id] = self._tasks.create_task(self._work(request))
        return await asyncio.shield(self._runs[request.run_id])

    async def _work(self, request: ActionRequest) -> ActionResult:
        seconds = float(request.metadata.get("seconds", 0))
        on_host = request.host is not None
        if on_host:
            self._world.emit("host.maintenance.started", host=request.host)
        await asyncio.sleep(min(seconds, request.time_limit))
        error = self.failing.get(request.host or "")
        if seconds > request.time_limit:
            error = f"it did not end within {request.time_limit:.0f} s"
        if on_host:
            self._world.emit("host.maintenance.finished", host=request.host, ok=error is None)
        return ActionResult(error)
