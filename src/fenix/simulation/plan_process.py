"""Makes a plan in a process of its own, so that whoever orders it goes on with its work meanwhile.

Both ends are this release: orders and plans go between them as pickles, through pipes.
"""

import asyncio
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fenix.domain import Conflict, FenixError
from fenix.simulation.plan import Plan, PlanOrder

_LAST_WORDS = 2000
"""Characters of what a process said before it died."""


class PlanTookTooLong(Conflict):
    """The plan was not ready within its time."""


class PlanningDied(Exception):
    """The process ended without a plan; the text has its last words."""


class PlanUnderWay(FenixError):
    """Another plan is being made here."""

    code = 429
    title = "Too many"


class PlanDesk:
    """Lets one plan at a time be made: each takes a processor for itself."""

    def __init__(self) -> None:
        self._busy = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Holds the desk.

        Raises:
            PlanUnderWay: somebody else does.
        """
        if self._busy:
            raise PlanUnderWay("Another plan is being made here; try again when it is ready.")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False


async def make_plan_apart(order: PlanOrder, limit: float) -> Plan:
    """Makes a plan in another process, which is ended when this is cancelled.

    Args:
        limit: seconds of real time that it may take.

    Raises:
        PlanTookTooLong: with what to do.
        PlanningDied: a fault of the workflow's or ours.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(limit):
            out, said = await process.communicate(pickle.dumps(order))
    except TimeoutError:
        raise PlanTookTooLong(
            f"The plan was not ready within {limit:g} s; plan fewer hosts at a time, or raise "
            "time_limit in [plan]."
        ) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace")[-_LAST_WORDS:]
        raise PlanningDied(f"the process ended with {process.returncode}: {last}")
    plan = pickle.loads(out)
    assert isinstance(plan, Plan)
    return plan


def main() -> None:
    """The other process: reads an order from its input and writes the plan to its output."""
    from fenix.simulation.plan_making import make_plan

    # What a workflow prints must not get between.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        order = pickle.load(sys.stdin.buffer)
        answer.write(pickle.dumps(make_plan(order)))


if __name__ == "__main__":
    main()
