"""Orders a plan: checks the request as a new session's, and copies what the plan is made from."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from fenix.api.services import Services
from fenix.domain import (
    Constraints,
    EventType,
    Inventory,
    MoveAction,
    SessionRequest,
    Subscription,
)
from fenix.domain.assumptions import Assumptions
from fenix.planning.ownership import heeded
from fenix.simulation import plan_admission
from fenix.simulation.plan import Plan, PlanOrder
from fenix.simulation.plan_learning import learn
from fenix.simulation.plan_process import make_plan_apart
from fenix.store import constraints, durations, subscriptions
from fenix.store.admission import Connection

Measured = Mapping[str, Sequence[float]]
Stored = tuple[plan_admission.Claims, Constraints, list[Subscription], Measured]


async def make_plan(
    services: Services, request: SessionRequest, assume: Assumptions, chosen: Collection[str]
) -> Plan:
    """What would happen in a session; nothing is written, and the cloud only read.

    Args:
        chosen: what of `assume` the request says; of the rest, durations are learnt.

    Raises:
        InvalidField, Conflict: such a session could not be created.
        PlanUnderWay: another plan is being made.
        PlanTookTooLong: it was given up.
        CloudUnavailable, CloudError: the cloud does not tell what there is.
        DatabaseUnavailable: the database does not answer.
    """
    with services.plans.turn():
        inventory = await services.cloud.inventory()
        others, registered, subscribed, measured = await services.database.read(_read)
        now = services.now()
        await plan_admission.check(request, inventory, others, now, services.settings.rules)
        registered = heeded(registered, inventory)
        reached = _reached(services, inventory, subscribed)
        assume, sources = learn(assume, measured, chosen)
        order = PlanOrder(request, inventory, registered, reached, assume, now, sources)
        return await make_plan_apart(order, services.settings.plan_time_limit)


def _read(connection: Connection) -> Stored:
    return (
        plan_admission.claims(connection),
        constraints.load(connection),
        list(subscriptions.list_all(connection)),
        _measured(connection),
    )


def _measured(connection: Connection) -> Measured:
    """What earlier sessions took, by the field of `Assumptions` that it is for."""
    moved = durations.of_moves(connection)
    return {
        "host_seconds": durations.of_work(connection),
        "live_migration_seconds": moved.get(MoveAction.LIVE_MIGRATE, ()),
        "migration_seconds": moved.get(MoveAction.MIGRATE, ()),
    }


def _reached(
    services: Services, inventory: Inventory, subscribed: list[Subscription]
) -> frozenset[str]:
    """The projects that some channel leads to, as an engine would see it."""
    own: dict[str, list[Subscription]] = defaultdict(list)
    for subscription in subscribed:
        own[subscription.project_id].append(subscription)
    projects = {instance.project_id for instance in inventory.instances.values()}
    return frozenset(
        project
        for project in projects
        if any(
            channel.targets(project, EventType.SCHEDULED, own[project])
            for channel in services.channels
        )
    )
