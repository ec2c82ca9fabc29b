"""The maintenance of one empty host: told of, its actions run, given back."""

from collections.abc import Iterable

from fenix.domain import (
    ActionSpec,
    ActionState,
    ActionType,
    HostNews,
    HostState,
    HostType,
    Inventory,
)
from fenix.workflows.base import Context, SessionFailed
from fenix.workflows.looking import until

ON_HOST = {HostType.COMPUTE: ActionType.COMPUTE, HostType.CONTROLLER: ActionType.CONTROLLER}


def host_actions(context: Context, kind: HostType) -> list[tuple[str, ActionSpec]]:
    """The actions for a host of a kind with the end of their keys, in the order of running.

    First those of type `host`, then those of the host's own type, each in alphabetical order
    (wire contract, "Workflow `default`").
    """
    return _of_type(context, ActionType.HOST) + _of_type(context, ON_HOST[kind])


def still_there(inventory: Inventory, names: Iterable[str]) -> None:
    """Checks that hosts are still in the cloud.

    Raises:
        SessionFailed: with those that are not.
    """
    missing = [name for name in names if name not in inventory.hosts]
    if missing:
        raise SessionFailed(f"host {', '.join(missing)} is not in the cloud any more")


def _of_type(context: Context, kind: ActionType) -> list[tuple[str, ActionSpec]]:
    numbered = enumerate(context.session.request.actions)
    found = [(spec.plugin, n, spec) for n, spec in numbered if spec.type is kind]
    found.sort(key=lambda one: one[:2])
    return [(f"{kind}:{n}:{plugin}", spec) for plugin, n, spec in found]


async def session_actions(context: Context, kind: ActionType) -> None:
    """Runs the `pre` or `post` actions, in alphabetical order.

    Raises:
        SessionFailed: one failed.
    """
    for key, spec in _of_type(context, kind):
        record = await context.run_action(key, spec, None)
        if record.state is ActionState.FAILED:
            raise SessionFailed(f"{kind} action {spec.plugin} failed: {record.error}")


def _assure_empty(inventory: Inventory, name: str) -> None:
    still_there(inventory, [name])
    left = inventory.on(name)
    if left or inventory.hosts[name].enabled:
        raise SessionFailed(
            f"host {name} was to be worked on, but it "
            + (f"has instance {left[0].id}" if left else "is enabled")
        )


async def maintain(context: Context, name: str) -> None:
    """Works on one host and gives it back.

    The host must be empty and disabled; that is checked once more, since nothing may ever be
    worked on that is not (design, "Invariants", 3).

    Raises:
        SessionFailed: it was not empty, an action failed, or the host did not come back.
    """
    kind = context.hosts[name].type
    if kind is HostType.COMPUTE:
        _assure_empty(await context.inventory_of(name), name)
    await context.set_host(
        name, HostState.IN_MAINTENANCE, "it is empty and disabled", HostNews.IN_MAINTENANCE
    )
    try:
        await _work(context, name, kind)
    except SessionFailed as error:
        await context.set_host(name, HostState.FAILED, str(error), HostNews.MAINTENANCE_FAILED)
        raise
    await context.set_host(
        name, HostState.MAINTAINED, "all its actions are done", HostNews.MAINTENANCE_COMPLETE
    )
    await context.enable_host(name)


async def _work(context: Context, name: str, kind: HostType) -> None:
    for key, spec in host_actions(context, kind):
        record = await context.run_action(f"{name}:{key}", spec, name)
        if record.state is ActionState.FAILED:
            raise SessionFailed(
                f"host {name}: {spec.type} action {spec.plugin} failed: {record.error}"
            )
    limit = context.session.request.options.settle_timeout
    back = await until(
        context,
        lambda inventory: name in inventory.hosts and inventory.hosts[name].up,
        limit,
        f"host {name}",
        "come back up after its maintenance",
        host=name,
    )
    if back is None:
        raise SessionFailed(f"host {name} did not come back up within {limit:.0f} s")
