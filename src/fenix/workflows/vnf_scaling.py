"""When and whom workflow `vnf` asks for capacity."""

from collections.abc import Collection

from fenix.domain import HostState, HostType, Inventory, Resources, SessionState
from fenix.planning.giving import whom_to_ask
from fenix.planning.speed import lacking_for, worthwhile
from fenix.workflows.base import Context
from fenix.workflows.common import instances_by_project
from fenix.workflows.scaling import ask_to_scale_in, given, no_room, refused, willing

MOST_ROUNDS = 6
"""How often projects are asked only to get faster."""


def _givers(
    context: Context, inventory: Inventory, lacking: Resources, but: Collection[str] = ()
) -> list[str]:
    """Whom to ask for capacity."""
    instances = instances_by_project(inventory, context.hosts)
    able = [ident for ident in willing(context) if ident not in but]
    return whom_to_ask(instances, able, lacking, given(context))


async def make_room(
    context: Context, inventory: Inventory, lacking: Resources, why: str
) -> Inventory:
    """Asks for capacity, one after the other, until somebody gives some.

    Args:
        lacking: how much is needed.
        why: what is in the way, for the reason of a failure.

    Returns:
        The cloud as it is then.

    Raises:
        SessionFailed: nobody gives any.
    """
    answers: dict[str, str] = {}
    while asked := _givers(context, inventory, lacking, but=answers):
        after, said = await ask_to_scale_in(context, inventory, asked)
        if after is not None:
            return after
        answers |= dict.fromkeys(asked, "") | {asked[0]: said}
    raise no_room(", ".join(filter(None, answers.values())), why)


async def speed_up(context: Context, inventory: Inventory) -> Inventory:
    """Before the first host is begun: asks for the little that is lacking for one more at a time.

    Returns:
        The cloud as it is then.
    """
    computes = [name for name, host in context.hosts.items() if host.type is HostType.COMPUTE]
    if any(context.hosts[name].state is not HostState.PENDING for name in computes):
        return inventory
    options = context.session.request.options
    for _ in range(MOST_ROUNDS):
        goal = context.memory.get("at_a_time")
        left = context.memory.get("share_left", options.scale_in_share)
        if goal is None or not any(lacking_for(inventory, computes, goal)):
            found = worthwhile(inventory, computes, options.parallel_hosts, left)
            if found is None:
                break
            goal = found.at_a_time
            await context.remember(at_a_time=goal, share_left=left - found.part)
        lacking = lacking_for(inventory, computes, goal)
        asked = _givers(context, inventory, lacking)
        if not asked:
            break
        await context.set_state(SessionState.SCALE_IN)
        await context.note(
            "session.speed_up", f"with {lacking} more, {goal} hosts can be worked on at a time"
        )
        after, _ = await ask_to_scale_in(context, inventory, asked)
        if after is not None:
            inventory = after
        elif not all(refused(context, ident) for ident in asked):
            # Who agrees and gives nothing, or says nothing, costs more time than it is worth.
            await context.remember(at_a_time=None, share_left=0)
            break
    return inventory
