"""Where workflow `vnf` stands when it begins, also after a restart in the middle.

Decisions are made anew from what the cloud and the session's records say; questions and moves
have keys, so nothing is asked or done twice. Only moves under way are waited for first: until
they end nobody knows where their instances will be.
"""

import asyncio
from datetime import timedelta

from fenix.domain import (
    Constraints,
    HostState,
    HostType,
    Instance,
    InstanceState,
    Inventory,
    MoveAction,
    MoveState,
)
from fenix.planning.rolling import Rolling
from fenix.planning.tasks import RollingOptions
from fenix.workflows.base import Context
from fenix.workflows.moving import end_overruns, last_known

BEGUN = (HostState.DRAINING, HostState.EMPTY, HostState.IN_MAINTENANCE)


async def end_moves(context: Context) -> None:
    """Waits for the moves that an earlier engine has begun, also for those that overran.

    Raises:
        SessionFailed: the cloud is busy with one for too long.
    """
    async with asyncio.TaskGroup() as tasks:
        for key, record in context.moves.items():
            if record.state is MoveState.INTENDED:
                tasks.create_task(context.rejoin_move(key))
    await end_overruns(context)


def pending_hosts(context: Context) -> list[str]:
    """The compute hosts that are still to be worked on."""
    return [
        name
        for name, host in context.hosts.items()
        if host.type is HostType.COMPUTE
        and host.state not in (HostState.MAINTAINED, HostState.SKIPPED)
    ]


def build(context: Context, inventory: Inventory, constraints: Constraints) -> Rolling:
    """The state of the rolling; its times are seconds since the session was created."""
    options = context.session.request.options
    pending = pending_hosts(context)
    ready = [
        name
        for name, host in inventory.hosts.items()
        if host.type is HostType.COMPUTE and host.enabled and host.up and name not in pending
    ]
    rolling = Rolling(
        inventory,
        pending,
        ready,
        constraints,
        RollingOptions(
            parallel_hosts=options.parallel_hosts,
            parallel_migrations=options.parallel_migrations,
            parallel_migrations_per_host=options.parallel_migrations_per_host,
            second_moves=options.second_moves,
            default_members=options.max_impacted_members,
        ),
        begun=[name for name in pending if context.hosts[name].state in BEGUN],
    )
    longest = timedelta(seconds=options.move_timeout)
    for record in context.moves.values():
        if record.finished_at is not None:
            instance = inventory.instances.get(record.instance_id)
            known = context.instances.get(record.instance_id)
            moved: Instance | None = instance or (last_known(known) if known else None)
            if moved is not None:
                # When the cloud ended one that overran, only an engine that is gone may have seen.
                overran = record.finished_at - record.started_at >= longest
                end = context.now() if overran else record.finished_at
                rolling.recovering(moved, (end - context.session.created_at).total_seconds())
    return rolling


def asked_before(context: Context, inventory: Inventory, rolling: Rolling) -> list[Instance]:
    """The instances that their managers may be busy with, since an earlier engine had asked.

    Those that they have moved or built anew (OWN_ACTION) recover: nobody noted since when, so it
    counts from now.
    """
    found = []
    now = (context.now() - context.session.created_at).total_seconds()
    for record in context.instances.values():
        instance = inventory.instances.get(record.id)
        asked = record.state is InstanceState.ASKED
        ended = record.state in (InstanceState.MOVED, InstanceState.GONE)
        if asked and instance is not None:
            rolling.asked_before(instance)
            found.append(instance)
        elif asked or (ended and record.action is MoveAction.OWN_ACTION):
            rolling.recovering(instance or last_known(record), now)
    return found
