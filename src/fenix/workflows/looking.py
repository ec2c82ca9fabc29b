"""Looks at the cloud until it shows what is expected, with a limit."""

from collections.abc import Callable
from datetime import timedelta

from fenix.domain import Inventory
from fenix.workflows.base import Context

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=5)


async def until(
    context: Context,
    shown: Callable[[Inventory], bool],
    seconds: float,
    who: str,
    what: str,
    host: str | None = None,
) -> Inventory | None:
    """Reads the inventory until it shows something.

    Args:
        shown: whether it does.
        seconds: for how long to look.
        who: for people: who has to do something.
        what: for people: what.
        host: what is looked for shows on this host alone, so only this one is read.

    Returns:
        The inventory that shows it, or None when none did in time.
    """
    end = context.now() + timedelta(seconds=seconds)
    pause = FIRST_PAUSE
    with context.waiting(who, what, end):
        while True:
            inventory = await (context.inventory_of(host) if host else context.inventory())
            if shown(inventory):
                return inventory
            del inventory  # it may be large, and many may wait
            if context.now() >= end:
                return None
            await context.sleep_until(min(end, context.now() + pause), f"look again: {what}")
            pause = min(2 * pause, LONGEST_PAUSE)
