"""What tests of several kinds need."""

import asyncio

import pytest

from fenix.simulation.plan import Plan, PlanOrder
from fenix.simulation.plan_making import make_plan


@pytest.fixture
def plans_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has plans made in a thread: a process of its own takes seconds to start."""

    async def make_plan_here(order: PlanOrder, limit: float) -> Plan:
        async with asyncio.timeout(limit):
            return await asyncio.to_thread(make_plan, order)

    monkeypatch.setattr("fenix.api.planning.make_plan_apart", make_plan_here)
