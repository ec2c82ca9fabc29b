"""Copies a cloud into a simulated one, and its applications into simulated managers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from fenix.clouds.simulated import SimulatedGroup, SimulatedHost, SimulatedInstance, World
from fenix.domain import (
    ActionSpec,
    ActionType,
    Constraints,
    Host,
    Instance,
    InstanceConstraints,
    InstanceStatus,
    Inventory,
    MoveAction,
    Resources,
    SessionRequest,
    total,
)
from fenix.domain.assumptions import Assumptions
from fenix.simulation.plan import PlanOrder
from fenix.simulation.scenario import (
    ActionModel,
    GroupModel,
    HostModel,
    InstanceModel,
    LimitsModel,
    ManagerModel,
    ProjectModel,
    ScaleInModel,
    Scenario,
    SessionModel,
)

STAND_IN = "simulated"
"""The plug-in whose work takes as long as its metadata says."""

_ON_HOSTS = (ActionType.HOST, ActionType.COMPUTE, ActionType.CONTROLLER)


def copy_cloud(inventory: Inventory, assume: Assumptions) -> World:
    """A simulated cloud that is as this one is now.

    What uses a host and is no instance that can be seen stays used: the copy's host is smaller by
    it. A host that is over its capacity in the cloud is so in the copy.
    """
    hosts = [
        SimulatedHost(
            name=host.name,
            # Room for what is there; how much there really is comes after.
            capacity=_load(inventory, host),
            zone=host.zone,
            projects=host.projects,
            offers=host.offers,
            type=host.type,
            enabled=host.enabled,
            disabled_reason=host.disabled_reason,
            up=host.up,
        )
        for host in inventory.hosts.values()
    ]
    groups = [
        SimulatedGroup(one.id, one.project_id, one.anti_affinity, one.max_instances_per_host)
        for one in inventory.groups.values()
    ]
    placed = [one for one in inventory.instances.values() if one.host in inventory.hosts]
    world = World(hosts, groups, [_instance(one, assume) for one in placed])
    for host in inventory.hosts.values():
        world.hosts[host.name].capacity = host.capacity.minus(hidden(inventory, host))
    return world


def hidden(inventory: Inventory, host: Host) -> Resources:
    """What is used on a host by something that is no instance that can be seen."""
    return host.used.lacking(_load(inventory, host))


def _load(inventory: Inventory, host: Host) -> Resources:
    return total([one.size for one in inventory.on(host.name)])


def _instance(one: Instance, assume: Assumptions) -> SimulatedInstance:
    cold = assume.cold_seconds(one.size)
    stopped = one.status is InstanceStatus.STOPPED
    return SimulatedInstance(
        id=one.id,
        name=one.name,
        project_id=one.project_id,
        size=one.size,
        host=one.host,
        group_id=one.group_id,
        zone=one.zone,
        requires=one.requires,
        # What keeps an instance busy now is over when its turn comes; a stopped one moves cold.
        status=InstanceStatus.ERROR
        if one.status is InstanceStatus.ERROR
        else InstanceStatus.ACTIVE,
        live_migration_seconds=cold if stopped else assume.live_seconds(one.size),
        migration_seconds=cold,
    )


def copy_request(request: SessionRequest, assume: Assumptions) -> SessionRequest:
    """The same session with actions that only take their time.

    The time on a host is shared by the actions there. Actions of the plug-in `simulated` that say
    themselves how long they take do that.
    """
    counts = Counter(one.type for one in request.actions)
    shared = counts[ActionType.HOST] + max(
        counts[ActionType.COMPUTE], counts[ActionType.CONTROLLER]
    )

    def stand_in(one: ActionSpec) -> ActionSpec:
        if one.plugin == STAND_IN and "seconds" in one.metadata:
            return one
        seconds = (
            assume.host_seconds / shared if one.type in _ON_HOSTS else assume.session_action_seconds
        )
        return replace(one, plugin=STAND_IN, metadata={"seconds": seconds})

    return replace(request, actions=tuple(stand_in(one) for one in request.actions))


def describe(order: PlanOrder) -> Scenario:
    """The copy as a scenario, for the simulated managers and the bounds.

    It is not validated: a real cloud may be over its capacity, and ids may have any form.
    """
    inventory, assume, request = order.inventory, order.assume, order.request
    instances = [
        _instance_model(one, order.constraints, assume)
        for one in inventory.instances.values()
        if one.host in inventory.hosts
    ]
    groups = list(_groups(order, {one.group for one in instances if one.group}))
    members = Counter(one.group for one in instances)
    spare: Counter[str] = Counter()
    for group in groups:
        spare[group.project] += members[group.id] - 1 if group.removable else 0
    options = request.options
    return Scenario.model_construct(
        name="plan",
        limits=LimitsModel(
            parallel_hosts=options.parallel_hosts,
            parallel_migrations=options.parallel_migrations,
            parallel_migrations_per_host=options.parallel_migrations_per_host,
        ),
        hosts=tuple(_host_model(inventory, host) for host in inventory.hosts.values()),
        projects=tuple(
            ProjectModel.model_construct(
                id=ident,
                manager=_manager(assume, spare[ident]) if ident in order.reached else None,
            )
            for ident in sorted({one.project for one in instances})
        ),
        groups=tuple(groups),
        instances=tuple(instances),
        session=SessionModel.model_construct(
            workflow=request.workflow,
            notice_seconds=max(0.0, (request.maintenance_at - order.now).total_seconds()),
            hosts=tuple(request.hosts),
            actions=tuple(
                ActionModel(type=one.type, seconds=one.metadata["seconds"])
                for one in copy_request(request, assume).actions
            ),
        ),
    )


def _host_model(inventory: Inventory, host: Host) -> HostModel:
    room = host.capacity.minus(hidden(inventory, host))
    return HostModel.model_construct(
        name=host.name,
        zone=host.zone,
        type=host.type,
        vcpus=room.vcpus,
        memory_mb=room.memory_mb,
        disk_gb=room.disk_gb,
    )


def _instance_model(one: Instance, constraints: Constraints, assume: Assumptions) -> InstanceModel:
    known = constraints.instances.get(one.id) or InstanceConstraints(one.id, one.project_id, "", "")
    return InstanceModel.model_construct(
        id=one.id,
        name=one.name,
        project=one.project_id,
        host=one.host,
        group=one.group_id or known.group_id or None,
        vcpus=one.size.vcpus,
        memory_mb=one.size.memory_mb,
        disk_gb=one.size.disk_gb,
        migration_type=MoveAction.MIGRATE
        if one.status is InstanceStatus.STOPPED
        else known.migration_type,
        live_migration_seconds=assume.live_seconds(one.size),
        migration_seconds=assume.cold_seconds(one.size),
        lead_time=known.lead_time,
        max_interruption_time=known.max_interruption_time,
    )


def _groups(order: PlanOrder, used: set[str]) -> Iterator[GroupModel]:
    """The groups that have members, with what the cloud and the applications say of them."""
    projects = {
        one.group_id or "": one.project_id for one in order.inventory.instances.values()
    } | {one.group_id: one.project_id for one in order.constraints.instances.values()}
    for ident in sorted(used):
        cloud = order.inventory.groups.get(ident)
        known = order.constraints.groups.get(ident)
        anti_affinity = bool(
            (cloud and cloud.anti_affinity) or (known and known.anti_affinity_group)
        )
        limits = (
            cloud.max_instances_per_host if cloud else 0,
            known.max_instances_per_host if known else 0,
        )
        yield GroupModel.model_construct(
            id=ident,
            project=projects[ident],
            max_impacted_members=known.max_impacted_members
            if known
            else order.request.options.max_impacted_members,
            recovery_time=known.recovery_time if known else 0,
            anti_affinity=anti_affinity,
            max_instances_per_host=min((one for one in limits if one), default=0),
            removable=not anti_affinity,
        )


def _manager(assume: Assumptions, spare: int) -> ManagerModel:
    gives = assume.scale_in and spare > 0
    return ManagerModel(
        reply_seconds=assume.reply_seconds,
        scale_in=ScaleInModel(
            instances=assume.scale_in_instances,
            max=spare,
            seconds=assume.scale_in_seconds,
            scale_out_seconds=assume.scale_out_seconds,
        )
        if gives
        else None,
    )


def notes(order: PlanOrder) -> Iterator[str]:
    """How the copy differs from the cloud, in sentences."""
    inventory = order.inventory
    busy = sum(one.status is InstanceStatus.BUSY for one in inventory.instances.values())
    if busy:
        yield f"{busy} instances are busy now; the plan takes them as ready to move."
    lost = sum(one.host not in inventory.hosts for one in inventory.instances.values())
    if lost:
        yield f"{lost} instances are on hosts that the cloud does not list; the plan leaves them."
    using = [name for name, host in inventory.hosts.items() if any(hidden(inventory, host))]
    if using:
        more = f" and {len(using) - 1} more" if len(using) > 1 else ""
        yield (
            f"Host {using[0]}{more}: something that is no visible instance uses room there (e.g. "
            f"{hidden(inventory, inventory.hosts[using[0]])}); the plan takes it as used to the "
            "end."
        )
