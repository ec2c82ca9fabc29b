"""Builds a simulated world from a scenario, and the session that the scenario asks for."""

import asyncio
import contextlib
from datetime import datetime, timedelta

from fenix.clouds import CloudError
from fenix.clouds.simulated import SimulatedGroup, SimulatedHost, SimulatedInstance, World
from fenix.domain import (
    ActionSpec,
    Constraints,
    GroupConstraints,
    InstanceConstraints,
    SessionOptions,
    SessionRequest,
    UnmanagedPolicy,
)
from fenix.simulation.scenario import InstanceModel, Scenario


def build_world(scenario: Scenario) -> World:
    """The scenario's cloud with its faults to come."""
    world = World(
        hosts=[
            SimulatedHost(host.name, host.size, host.zone, host.type) for host in scenario.hosts
        ],
        groups=[
            SimulatedGroup(
                group.id, group.project, group.anti_affinity, group.max_instances_per_host
            )
            for group in scenario.groups
        ],
        instances=[_instance(one) for one in scenario.instances],
    )
    for fault in scenario.faults:
        if fault.instance and fault.move:
            world.faults[fault.instance] += [fault.move] * fault.times
    return world


def _instance(one: InstanceModel) -> SimulatedInstance:
    return SimulatedInstance(
        id=one.id,
        name=one.name,
        project_id=one.project,
        size=one.size,
        host=one.host,
        group_id=one.group,
        live_migration_seconds=one.live_migration_seconds,
        migration_seconds=one.migration_seconds,
        floating_ip=one.floating_ip,
    )


def schedule_faults(scenario: Scenario, world: World) -> None:
    """Makes hosts and instances come and go when the scenario says so."""
    loop = asyncio.get_running_loop()

    def appear(one: InstanceModel) -> None:
        # Without room for it, it just does not appear.
        with contextlib.suppress(CloudError):
            world.create_instance(_instance(one))

    for fault in scenario.faults:
        if fault.host:
            loop.call_later(fault.at, world.set_host_up, fault.host, False)
            if fault.until is not None:
                loop.call_later(fault.until, world.set_host_up, fault.host, True)
        if fault.vanishes:
            loop.call_later(fault.at, world.delete_instance, fault.vanishes)
        if fault.appears:
            loop.call_later(fault.at, appear, fault.appears)


def session_request(
    scenario: Scenario, workflow: str | None, now: datetime, options: SessionOptions | None = None
) -> SessionRequest:
    """The session that the scenario asks for, limits included."""
    limits = scenario.limits
    base = options or SessionOptions(unmanaged_projects=UnmanagedPolicy.MOVE)
    return SessionRequest(
        workflow=workflow or scenario.session.workflow,
        maintenance_at=now + timedelta(seconds=scenario.session.notice_seconds),
        hosts=scenario.session.hosts,
        actions=tuple(
            ActionSpec(action.plugin, action.type, {"seconds": action.seconds})
            for action in scenario.session.actions
        ),
        options=_with_limits(base, limits.model_dump()),
    )


def _with_limits(options: SessionOptions, limits: dict[str, int | None]) -> SessionOptions:
    values = {name: getattr(options, name) for name in SessionOptions.__slots__}
    return SessionOptions(**values | limits)


def constraints_of(scenario: Scenario) -> Constraints:
    """What the scenario's applications register with Fenix."""
    instances = [
        InstanceConstraints(
            instance_id=one.id,
            project_id=one.project,
            group_id=one.group or "",
            instance_name=one.name,
            max_interruption_time=round(one.max_interruption_time),
            migration_type=one.migration_type,
            lead_time=round(one.lead_time),
        )
        for one in scenario.instances
    ]
    groups = [
        GroupConstraints(
            group_id=group.id,
            project_id=group.project,
            group_name=group.id,
            anti_affinity_group=group.anti_affinity,
            max_instances_per_host=group.max_instances_per_host,
            max_impacted_members=group.max_impacted_members,
            recovery_time=round(group.recovery_time),
        )
        for group in scenario.groups
    ]
    return Constraints(
        {one.instance_id: one for one in instances}, {one.group_id: one for one in groups}
    )
