"""How one instance leaves its host: the action, the target, further tries, its own action."""

from collections.abc import Callable, Collection
from datetime import timedelta

from fenix.domain import (
    ZERO,
    Constraints,
    Instance,
    InstanceRecord,
    InstanceState,
    InstanceStatus,
    Inventory,
    MoveAction,
    MoveState,
    Reply,
)
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.looking import until
from fenix.workflows.slots import MoveSlots

ATTEMPTS = 3
"""How often a move is tried, each time with a target chosen anew."""

MEMORY = timedelta(seconds=120)
"""How long Nova's scheduler counts a member of an anti-affinity group on the host that it has left
by a live migration, at most: until the computes report what they have
(`scheduler_instance_sync_interval`, of which 120 s is the default)."""

PATIENCE = MEMORY + timedelta(seconds=10)
"""How long the last try of a move waits where that may be in the way."""

Chooser = Callable[[Instance, Inventory], str | None]
"""Chooses a target in the cloud as it is now; None: leave it to the scheduler."""


def chosen_action(instance: Instance, reply: Reply | None, constraints: Constraints) -> MoveAction:
    """What happens to an instance: what its manager chose, else what its constraints say.

    Without either it is migrated live, which disturbs least. OWN_ACTION needs somebody who does
    it, so it only counts in a reply.
    """
    if reply and instance.id in reply.instance_actions:
        return reply.instance_actions[instance.id]
    registered = constraints.instances.get(instance.id)
    default = registered.migration_type if registered else MoveAction.LIVE_MIGRATE
    if default is MoveAction.OWN_ACTION and reply is None:
        return MoveAction.LIVE_MIGRATE
    return default


async def move_away(
    context: Context,
    key: str,
    ident: str,
    sources: Collection[str],
    action: MoveAction,
    choose: Chooser,
    slots: MoveSlots,
) -> None:
    """Gets one instance off the hosts that are to be empty; nothing is done if it is off already,
    or if the slots are closed.

    Args:
        key: names this task within the session.
        ident: the instance's id; the session has a record of it.
        sources: the hosts that are to be empty.

    Raises:
        SessionFailed: it could not be moved.
    """
    if action is MoveAction.OWN_ACTION:
        await await_own_action(context, ident, sources)
        return
    error = ""
    for attempt in range(ATTEMPTS):
        inventory = await _when_free(context, ident, error)
        under_way = context.instances[ident].state is InstanceState.MOVING
        instance = inventory.instances.get(ident)
        if instance is None:
            instance = last_known(context.instances[ident])
            if not under_way:
                await context.set_instance(
                    instance, InstanceState.GONE, "it does not exist any more"
                )
                return
        if not under_way and instance.host not in sources:
            return
        if instance.status is InstanceStatus.ERROR:
            where = f"instance {ident} is in ERROR on host {instance.host}"
            raise SessionFailed(f"{where}: {error}" if error else where)
        if instance.status is InstanceStatus.STOPPED:
            action = MoveAction.MIGRATE
        if attempt == ATTEMPTS - 1 and lately_left(context, inventory, instance):
            await context.sleep_until(context.now() + PATIENCE, "the cloud's scheduler to look")
            inventory = await _when_free(context, ident, error)
        target = context.instances[ident].target if under_way else choose(instance, inventory)
        del inventory  # it may be large, and the move long
        async with slots.taken(*{instance.host, target or instance.host}) as allowed:
            if not allowed and not under_way:
                return
            record = await context.move(f"{key}:{attempt}", instance, action, target)
            if record.state is MoveState.DONE:
                return
            error = record.error or ""
            # The cloud may still be making it: until that ends it counts.
            await _when_free(context, ident, error)
    raise SessionFailed(
        f"instance {ident} could not be moved off {', '.join(sorted(sources))}: {error}"
    )


def lately_left(context: Context, inventory: Inventory, instance: Instance) -> set[str]:
    """The hosts that other members of the instance's group have left lately; see `MEMORY`."""
    group = inventory.groups.get(instance.group_id or "")
    if group is None or not group.anti_affinity:
        return set()
    members = {one.id for one in inventory.instances.values() if one.group_id == group.id}
    since = context.now() - MEMORY
    return {
        move.source
        for move in context.moves.values()
        if move.instance_id in members - {instance.id}
        and move.state is MoveState.DONE
        and move.finished_at is not None
        and move.finished_at > since
    }


def last_known(record: InstanceRecord) -> Instance:
    """An instance that the cloud does not list (any more), as the session knows it."""
    return Instance(record.id, record.name, record.project_id, record.host, ZERO)


async def when_free(context: Context, ident: str) -> Inventory:
    """The inventory as soon as the instance is not busy with anything but our own move."""

    def free(inventory: Inventory) -> bool:
        instance = inventory.instances.get(ident)
        ours = context.instances[ident].state is InstanceState.MOVING
        return ours or instance is None or instance.status is not InstanceStatus.BUSY

    limit = context.session.request.options.settle_timeout
    inventory = await until(context, free, limit, f"instance {ident}", "end what it is busy with")
    if inventory is None:
        raise SessionFailed(f"instance {ident} was busy for {limit:.0f} s")
    return inventory


async def end_overruns(context: Context) -> Inventory:
    """The inventory when the cloud makes no move any more whose time was over.

    Where the engine that waited for one is gone, nobody else counts it.

    Raises:
        SessionFailed: the cloud is busy with one for too long.
    """
    inventory = await context.inventory()
    failed = {one.instance_id for one in context.moves.values() if one.state is MoveState.FAILED}
    for instance in list(inventory.instances.values()):
        if instance.id in failed and instance.status is InstanceStatus.BUSY:
            inventory = await when_free(context, instance.id)
    return inventory


async def _when_free(context: Context, ident: str, error: str) -> Inventory:
    """See `when_free`; a failure also tells why the move before has failed."""
    try:
        return await when_free(context, ident)
    except SessionFailed as busy:
        raise SessionFailed(f"{busy}: {error}" if error else str(busy)) from busy


async def await_own_action(context: Context, ident: str, sources: Collection[str]) -> None:
    """Waits until the manager has got its instance away, and finds what it built instead."""
    known = context.instances[ident]
    limit = context.session.request.options.move_timeout
    inventory = await until(
        context,
        lambda now: ident not in now.instances or now.instances[ident].host not in sources,
        limit,
        f"project {known.project_id}",
        f"OWN_ACTION for instance {ident}",
    )
    if inventory is None:
        raise SessionFailed(
            f"project {known.project_id} chose OWN_ACTION for instance {ident}, and it was still "
            f"on host {known.host} after {limit:.0f} s"
        )
    instance = inventory.instances.get(ident)
    if instance is not None:
        await context.set_instance(
            instance, InstanceState.MOVED, "its manager moved it", action=MoveAction.OWN_ACTION
        )
        return
    successor = next(
        (
            one
            for one in inventory.instances.values()
            if one.name == known.name
            and one.project_id == known.project_id
            and one.id not in context.instances
        ),
        None,
    )
    await context.set_instance(
        last_known(known),
        InstanceState.GONE,
        f"its manager built {successor.id} on host {successor.host} in its place"
        if successor
        else "its manager removed it",
        action=MoveAction.OWN_ACTION,
        replaced_by=successor.id if successor else None,
    )
