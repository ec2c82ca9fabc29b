"""A plan says what a session then does, from nothing but what the cloud and the database tell."""

import random
from dataclasses import replace
from typing import Any

import pytest

from fenix.clouds.simulated import World
from fenix.domain import (
    Group,
    Host,
    HostType,
    Instance,
    InstanceStatus,
    Inventory,
    MoveAction,
    Resources,
)
from fenix.domain.assumptions import Assumptions
from fenix.simulation import clock
from fenix.simulation.building import build_world, constraints_of, session_request
from fenix.simulation.plan import Plan, PlanOrder
from fenix.simulation.plan_copy import copy_cloud
from fenix.simulation.plan_making import make_plan
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from tests.simulation.scenes import action, doctor, host, instance, project, scene, unmanaged

AS_IN_SCENES = Assumptions(
    live_migration_seconds=10,
    live_migration_seconds_per_gib=0,
    migration_seconds=30,
    migration_seconds_per_gib=0,
    reply_seconds=1,
    scale_in_seconds=5,
    scale_out_seconds=5,
)
SIZE = Resources(8, 8192, 80)


def order(scenario: Scenario, assume: Assumptions = AS_IN_SCENES, **options: Any) -> PlanOrder:
    """The order for a plan of a scenario's session: what can be seen of it, no more."""
    request = session_request(scenario, None, clock.EPOCH)
    return PlanOrder(
        request=replace(request, options=replace(request.options, **options)),
        inventory=build_world(scenario).inventory(),
        constraints=constraints_of(scenario),
        reached=frozenset(one.id for one in scenario.projects if one.manager),
        assume=assume,
        now=clock.EPOCH,
    )


def in_simulation(scenario: Scenario) -> tuple[str, list[tuple[Any, ...]]]:
    """How a simulation of the scenario ends, and its moves with their times."""
    outcome = clock.run(simulate(scenario))
    assert outcome.violations == []
    moves = [
        (event["t"], event["instance"], event["source"], event["target"], event["action"])
        for event in outcome.stage.log.events
        if event["event"] == "instance.move.started"
    ]
    return outcome.session.state, sorted(moves)


def in_plan(plan: Plan) -> list[tuple[Any, ...]]:
    """The moves of a plan in the same form."""
    found = []
    for move in plan.moves:
        assert move.started_at is not None
        t = (move.started_at - clock.EPOCH).total_seconds()
        found.append((t, move.instance_id, move.source, move.target, move.action))
    return sorted(found)


def telco(seed: int) -> Scenario:
    """Six hosts in use for three quarters, by anti-affine pairs and larger groups."""
    dice = random.Random(seed)
    free = {f"compute-{n}": 8 for n in range(1, 7)}
    groups: list[dict[str, Any]] = []
    instances: list[dict[str, Any]] = []
    while sum(free.values()) > 12:
        pair = dice.random() < 0.5
        group = {
            "id": f"g-{len(groups)}",
            "project": dice.choice(["p-0", "p-1"]),
            "anti_affinity": pair,
            "max_impacted_members": 1 if pair else 2,
            "recovery_time": dice.choice([2, 10, 30]),
        }
        places = dice.sample([name for name, room in free.items() if room >= 2], 2 if pair else 3)
        for name in places:
            free[name] -= 2
            fields = {"group": group["id"], "project": group["project"], "lead_time": 40}
            kind = dice.choice(["LIVE_MIGRATE", "MIGRATE"])
            ident = f"i-{len(instances)}"
            instances.append(instance(ident, name, migration_type=kind, **fields))
        groups.append(group)
    return scene(
        hosts=[host(name) for name in free],
        projects=[project("p-0"), project("p-1")],
        groups=groups,
        instances=instances,
        limits={"parallel_migrations_per_host": 4},
        session={"workflow": "vnf"},
    )


# The same as a simulation


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_the_plan_of_doctor_is_what_happens(workflow: str) -> None:
    scenario = doctor()
    session = scenario.session.model_copy(update={"workflow": workflow})
    scenario = scenario.model_copy(update={"session": session})
    assume = Assumptions(
        live_migration_seconds=8,
        live_migration_seconds_per_gib=0,
        migration_seconds=20,
        migration_seconds_per_gib=0,
        reply_seconds=2,
        scale_in_instances=2,
        scale_in_seconds=20,
        scale_out_seconds=30,
    )
    plan = make_plan(order(scenario, assume))
    state, moves = in_simulation(scenario)
    assert plan.state == state == "MAINTENANCE_DONE"
    assert in_plan(plan) == moves
    assert len(moves) >= 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_plan_of_a_telco_is_what_happens(seed: int) -> None:
    scenario = telco(seed)
    plan = make_plan(order(scenario, replace(AS_IN_SCENES, scale_in=False)))
    state, moves = in_simulation(scenario)
    assert plan.state == state == "MAINTENANCE_DONE"
    assert in_plan(plan) == moves
    assert len({move[1] for move in moves}) == len(scenario.instances)


# What it tells


def test_a_plan_tells_hosts_moves_messages_and_times() -> None:
    plan = make_plan(order(scene()))
    assert plan.feasible
    assert plan.reason is None
    assert (plan.begins_at - clock.EPOCH).total_seconds() == 5
    by_name = {one.name: one for one in plan.hosts}
    assert set(by_name) == {"compute-1", "compute-2", "compute-3"}
    empty = by_name["compute-3"]
    assert plan.hosts[0] == empty
    assert empty.drain_started_at is None
    for one in plan.hosts:
        assert one.maintenance_started_at is not None
        assert one.back_at is not None
        assert (one.back_at - one.maintenance_started_at).total_seconds() == 60
        assert one.why
    for move in plan.moves:
        assert move.started_at is not None
        assert move.finished_at is not None
        assert (move.finished_at - move.started_at).total_seconds() == 10
        assert move.why
    assert {move.name for move in plan.moves} == {"name-of-i-1", "name-of-i-2"}
    (messages,) = plan.messages
    assert messages.project_id == "app"
    assert messages.counts["MAINTENANCE"] == messages.counts["MAINTENANCE_COMPLETE"] == 1
    assert messages.counts["INSTANCE_ACTION_DONE"] == len(plan.moves)
    assert plan.scale_in == ()
    assert plan.notes == ()
    assert 0 < plan.lower_bound_seconds <= plan.makespan_seconds <= plan.duration_seconds
    assert plan.bounds[0].sentence


def test_actions_on_a_host_share_its_time() -> None:
    made = order(scene(), replace(AS_IN_SCENES, host_seconds=90, session_action_seconds=7))
    actions = tuple(
        replace(made.request.actions[0], plugin="noop", type=kind, metadata={})
        for kind in ("pre", "host", "host", "compute", "controller")
    )
    plan = make_plan(replace(made, request=replace(made.request, actions=actions)))
    first = plan.hosts[0]
    assert first.maintenance_started_at is not None
    assert first.back_at is not None
    assert (first.back_at - first.maintenance_started_at).total_seconds() == 90
    assert (first.maintenance_started_at - plan.begins_at).total_seconds() == 7


def test_moves_take_the_time_of_their_memory() -> None:
    size = Resources(2, 3072, 1)
    assume = Assumptions(
        live_migration_seconds=4,
        live_migration_seconds_per_gib=2,
        migration_seconds=5,
        migration_seconds_per_gib=3,
    )
    assert assume.live_seconds(size) == 10
    assert assume.cold_seconds(size) == 14


def test_a_session_far_ahead_is_planned_at_once() -> None:
    made = order(scene())
    later = made.request.maintenance_at.replace(year=2034)
    plan = make_plan(replace(made, request=replace(made.request, maintenance_at=later)))
    assert plan.feasible
    assert plan.begins_at == later
    assert plan.duration_seconds < 600


def test_an_own_action_is_told() -> None:
    own = {"migration_type": "OWN_ACTION"}
    plan = make_plan(order(scene(instances=[instance("i-1", "compute-1", **own)])))
    assert plan.feasible
    assert [(move.instance_id, move.action) for move in plan.moves] == [
        ("i-1", MoveAction.OWN_ACTION)
    ]
    assert plan.moves[0].target in ("compute-2", "compute-3")
    assert plan.scale_in == ()


# Scale-in


def full() -> Scenario:
    """Three full hosts; two of the applications could give something."""
    return scene(
        groups=[{"id": "web", "project": "app"}],
        instances=[
            instance(f"i-{number}", f"compute-{1 + number // 4}", group="web")
            for number in range(12)
        ],
    )


@pytest.mark.parametrize("each_time", [1, 3])
def test_a_scale_in_is_told(each_time: int) -> None:
    plan = make_plan(order(full(), replace(AS_IN_SCENES, scale_in_instances=each_time)))
    assert plan.feasible
    (needed,) = plan.scale_in
    assert needed.project_id == "app"
    assert needed.assumed
    assert needed.instances == needed.requests * each_time
    assert needed.instances >= 4  # as many as a host has
    assert needed.resources.vcpus == 2 * needed.instances
    assert any("app" in note for note in plan.notes)


def test_without_scale_in_the_plan_says_how_much_is_needed() -> None:
    plan = make_plan(order(full(), replace(AS_IN_SCENES, scale_in=False)))
    assert not plan.feasible
    assert plan.state == "MAINTENANCE_FAILED"
    assert plan.failed_state == "SCALE_IN"
    assert plan.reason is not None
    assert "lacks 2 vCPUs" in plan.reason
    (needed,) = plan.scale_in
    assert not needed.assumed
    assert needed.instances == 4


def test_a_project_keeps_its_anti_affine_members() -> None:
    groups = [{"id": "pair", "project": "app", "anti_affinity": True}]
    big = {"vcpus": 8, "memory_mb": 8192, "group": "pair"}
    crowd = [instance(f"i-{number}", f"compute-{number}", **big) for number in (1, 2, 3)]
    plan = make_plan(order(scene(groups=groups, instances=crowd)))
    assert not plan.feasible
    assert [one.instances for one in plan.scale_in] == [0]


# What is in the way


def test_nobody_to_ask() -> None:
    lonely = scene(projects=[unmanaged("app")])
    refused = make_plan(order(lonely, unmanaged_projects="refuse"))
    assert not refused.feasible
    assert refused.reason is not None
    assert "app" in refused.reason
    assert [one.reached for one in refused.messages] == [False]
    moved = make_plan(order(lonely, unmanaged_projects="move"))
    assert moved.feasible
    assert [one.counts for one in moved.messages] == [{}]


def test_work_that_takes_longer_than_it_may() -> None:
    plan = make_plan(order(scene(session={"actions": [action(seconds=60)]}), action_timeout=30))
    assert not plan.feasible
    assert plan.reason is not None
    assert "30 s" in plan.reason


# The copy


def copied(*instances: Instance, **fields: Any) -> World:
    found = Host("h", **{"capacity": SIZE} | fields)
    inventory = Inventory({"h": found}, {one.id: one for one in instances}, {})
    return copy_cloud(inventory, AS_IN_SCENES)


def sized(ident: str = "i", **fields: Any) -> Instance:
    return Instance(ident, ident, "p", "h", Resources(2, 2048, 20), **fields)


def test_what_cannot_be_seen_stays_used() -> None:
    world = copied(sized(), used=Resources(5, 2048, 30))
    host = world.hosts["h"]
    assert host.capacity.minus(host.used) == Resources(3, 6144, 50)
    world_host = world.inventory().hosts["h"]
    assert world_host.used == Resources(2, 2048, 20)


def test_a_host_over_its_capacity_stays_so() -> None:
    host = copied(sized(), capacity=Resources(1, 8192, 80), used=Resources(2, 2048, 20)).hosts["h"]
    assert host.capacity.minus(host.used).vcpus == -1


def test_usage_that_lags_behind_the_instances_takes_nothing() -> None:
    host = copied(sized(), used=Resources()).hosts["h"]
    assert host.capacity == SIZE


def test_a_copied_host_is_in_the_same_condition() -> None:
    world = copied(
        enabled=False, disabled_reason="broken", up=False, zone="z", type=HostType.CONTROLLER
    )
    host = world.inventory().hosts["h"]
    assert (host.enabled, host.disabled_reason, host.up) == (False, "broken", False)
    assert (host.zone, host.type) == ("z", HostType.CONTROLLER)


def test_a_copy_keeps_the_same_instances_out() -> None:
    ours, ssd = frozenset({"p"}), frozenset({"disk=ssd"})
    world = copied(sized(requires=ssd), projects=ours, offers=ssd)
    found = world.inventory()
    assert (found.hosts["h"].projects, found.hosts["h"].offers) == (ours, ssd)
    assert found.instances["i"].requires == ssd
    new = replace(world.instances["i"], id="new", host="")
    assert world.obstacle(world.hosts["h"], new) is None
    for other in (replace(new, project_id="q"), replace(new, requires=frozenset({"gpu=1"}))):
        assert world.obstacle(world.hosts["h"], other) is not None


@pytest.mark.parametrize(
    ("status", "copy"),
    [
        (InstanceStatus.ACTIVE, InstanceStatus.ACTIVE),
        (InstanceStatus.BUSY, InstanceStatus.ACTIVE),
        (InstanceStatus.STOPPED, InstanceStatus.ACTIVE),
        (InstanceStatus.ERROR, InstanceStatus.ERROR),
    ],
)
def test_the_status_of_a_copied_instance(status: InstanceStatus, copy: InstanceStatus) -> None:
    world = copied(sized(status=status))
    assert world.inventory().instances["i"].status is copy
    stopped = status is InstanceStatus.STOPPED
    assert world.instances["i"].live_migration_seconds == (30 if stopped else 10)


def test_differences_of_the_copy_are_noted() -> None:
    made = order(scene())
    hosts = dict(made.inventory.hosts)
    hosts["compute-3"] = replace(hosts["compute-3"], used=Resources(1, 512, 0))
    instances = dict(made.inventory.instances)
    instances["i-1"] = replace(instances["i-1"], status=InstanceStatus.BUSY)
    instances["stray"] = replace(instances["i-1"], id="stray", host="elsewhere")
    groups = {"g": Group("g", "app")}
    plan = make_plan(replace(made, inventory=Inventory(hosts, instances, groups)))
    assert plan.feasible
    busy, stray, hidden = plan.notes
    assert "busy" in busy
    assert stray.startswith("1 instances are on hosts")
    assert "compute-3" in hidden


def test_scaled_in_instances_do_not_count_for_the_bounds() -> None:
    plan = make_plan(order(full()))
    assert 0 < plan.lower_bound_seconds <= plan.makespan_seconds


def test_a_limit_on_hosts_shows_in_their_turns() -> None:
    plan = make_plan(order(scene(), parallel_hosts=1))
    begins = [one.maintenance_started_at for one in plan.hosts]
    assert len(set(begins)) == 3
