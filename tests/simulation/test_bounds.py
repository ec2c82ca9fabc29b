"""Lower bounds: by hand for small clouds, and never above what any run takes."""

import random
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest

from fenix.simulation import clock
from fenix.simulation.bounds import Bound, binding, bounds, moves_bound, whole_hosts
from fenix.simulation.policies import POLICIES
from fenix.simulation.report import report_of, with_choices
from fenix.simulation.running import simulate
from fenix.simulation.scenario import Scenario
from fenix.workflows import registry
from tests.simulation.scenes import action, host, instance, project, scale_in, scene, unmanaged


def found(scenario: Scenario, gone: tuple[str, ...] = ()) -> dict[str, Bound]:
    """The bounds by name."""
    return {bound.name: bound for bound in bounds(scenario, gone)}


def seconds(scenario: Scenario, gone: tuple[str, ...] = ()) -> dict[str, float]:
    """The bounds' times by name."""
    return {name: bound.seconds for name, bound in found(scenario, gone).items()}


def test_capacity() -> None:
    """24 vCPUs of which 4 are in use; two moves of 10 s hold 2 vCPUs each on both hosts."""
    values = seconds(scene())
    assert values == {
        "capacity.vcpus": (24 * 60 + 2 * 2 * 10) / (24 - 4),
        "capacity.memory_mb": pytest.approx(74),
        "capacity.disk_gb": pytest.approx(74),
        "one_host": 70,
    }
    assert binding(bounds(scene())).seconds == pytest.approx(74)


def test_capacity_counts_each_resource() -> None:
    big = [instance("i-1", "compute-1", memory_mb=8192), instance("i-2", "compute-2", vcpus=8)]
    values = seconds(scene(instances=big))
    assert values["capacity.vcpus"] == (24 * 60 + 10 * 10) / (24 - 10)
    assert values["capacity.memory_mb"] == (24576 * 60 + 10240 * 10) / (24576 - 10240)


def test_scale_in() -> None:
    """What was taken away need not move, and its room is free."""
    assert seconds(scene(), ("i-1",))["capacity.vcpus"] == (24 * 60 + 20) / (24 - 2)
    assert moves_bound(scene()) == 2
    assert moves_bound(scene(), ("i-1",)) == 1


def test_nothing_free() -> None:
    full = [instance(f"i-{n}", f"compute-{n}", vcpus=8) for n in (1, 2, 3)]
    bound = found(scene(instances=full))["capacity.vcpus"]
    assert bound.seconds == 0
    assert "nothing is free (24 of 24 are in use)" in bound.sentence
    assert binding(bounds(scene(instances=full))).seconds > 0


def test_no_instances() -> None:
    """All hosts can be worked on at once."""
    values = seconds(scene(instances=[]))
    assert set(values.values()) == {60}
    assert moves_bound(scene(instances=[])) == 0


def test_hosts_outside_the_session() -> None:
    """Their room shortens it, what is on them stays."""
    one = scene(session={"hosts": ["compute-1"]})
    assert seconds(one)["capacity.vcpus"] == (8 * 60 + 2 * 10) / (24 - 4)
    assert seconds(one)["one_host"] == 70
    assert moves_bound(one) == 1


def test_controllers() -> None:
    """No instance runs there; each type of host has its own actions."""
    hosts = [host("control-1", type="controller"), host("compute-1"), host("compute-2")]
    actions = [action(), action("controller", 100), action("compute", 5), action("pre", 1000)]
    scenario = scene(
        hosts=hosts,
        instances=[instance("i-1", "compute-1")],
        session={"hosts": [one["name"] for one in hosts], "actions": actions},
        limits={"parallel_hosts": 2},
    )
    values = seconds(scenario)
    assert values["capacity.vcpus"] == (16 * 65 + 2 * 10) / (16 - 2)
    assert values["one_host"] == 160
    assert values["host_slots"] == (160 + 65 + 65) / 2


def test_group() -> None:
    """Only the last recovery may come after the end."""
    group = {"id": "g", "project": "app", "max_impacted_members": 2, "recovery_time": 5}
    members = [instance(f"i-{n}", f"compute-{n % 3 + 1}", group="g") for n in range(6)]
    scenario = with_choices(scene(groups=[group], instances=members), "vnf")
    values = found(scenario)
    assert values["group"].seconds == 6 * 15 / 2 - 5
    assert "group g: the moves of its 6 members" in values["group"].sentence
    assert "group" not in found(with_choices(scenario, "default"))


def test_slots() -> None:
    members = [instance("i-1", "compute-1"), instance("i-2", "compute-1", migration_type="MIGRATE")]
    limits = {"parallel_hosts": 2, "parallel_migrations": 4, "parallel_migrations_per_host": 1}
    values = seconds(scene(instances=members, limits=limits))
    assert values["migration_slots"] == (10 + 30) / 4
    assert values["host_slots"] == 90
    assert values["one_host"] == 10 + 30 + 60
    limits["parallel_migrations_per_host"] = 2
    assert seconds(scene(instances=members, limits=limits))["one_host"] == 30 + 60


def test_own_action() -> None:
    """The manager does it instead of the cloud; without a manager it is moved live."""
    own = [instance("i-1", "compute-1", migration_type="OWN_ACTION")]
    assert moves_bound(scene(instances=own)) == 0
    assert seconds(scene(instances=own))["capacity.vcpus"] == 24 * 60 / (24 - 2)
    alone = scene(projects=[unmanaged("app")], instances=own)
    assert moves_bound(alone) == 1
    assert seconds(alone)["one_host"] == 70


def test_hosts_are_worked_on_whole() -> None:
    """Five hosts of 8 vCPUs with room for 2.5 of them: three rounds."""
    scenario = scene(
        hosts=[host(f"compute-{n}") for n in range(5)],
        instances=[instance(f"i-{n}", f"compute-{n}", vcpus=4) for n in range(5)],
    )
    bound = whole_hosts(scenario)
    assert bound is not None
    assert bound.seconds == 3 * 60
    assert "20 are free, enough for 2 hosts at one time, so 5 hosts take 3 rounds" in bound.sentence
    assert whole_hosts(scenario, [f"i-{n}" for n in range(5)]) == replace(
        bound, seconds=60, sentence=ANY
    )
    full = [instance(f"i-{n}", f"compute-{n}", vcpus=8) for n in (1, 2, 3)]
    assert whole_hosts(scene(instances=full)) is not None  # of its memory and disk


@pytest.mark.parametrize("workflow", ["vnf", "default", *POLICIES])
def test_no_run_is_shorter(workflow: str) -> None:
    """Whatever the cloud, and whoever plans."""
    done = 0
    for seed in range(8):
        scenario = with_choices(random_scenario(random.Random(seed)), workflow)
        with registry.lent(POLICIES):
            report = report_of(clock.run(simulate(scenario)))
        if report.state == "MAINTENANCE_DONE":
            done += 1
            assert report.makespan_s >= report.possible.seconds - 1e-3, (seed, report.possible)
            assert report.possible.seconds >= report.bound.seconds
            assert report.moves >= report.moves_lower_bound, seed
    assert done >= 8


def random_scenario(rnd: random.Random) -> Scenario:
    """A small cloud with a bit of everything."""
    count = rnd.randint(2, 6)
    hosts = [host(f"compute-{n}", vcpus=rnd.choice([8, 8, 16])) for n in range(count)]
    if rnd.random() < 0.3:
        hosts.append(host("control-1", type="controller"))
    groups = [
        {
            "id": f"g-{n}",
            "project": f"p-{n % 2}",
            "max_impacted_members": rnd.randint(1, 2),
            "recovery_time": rnd.choice([0, 3, 20]),
            "anti_affinity": rnd.random() < 0.2,
            "removable": rnd.random() < 0.5,
        }
        for n in range(3)
    ]
    instances: list[dict[str, Any]] = []
    for one in hosts[:count]:
        free = 4
        while free and rnd.random() < 0.55:
            group = rnd.choice([*groups, None])
            if group and group["anti_affinity"]:
                mates = {i["host"] for i in instances if i["group"] == group["id"]}
                if one["name"] in mates or len(mates) >= count - 1:
                    continue
            instances.append(
                instance(
                    f"i-{len(instances)}",
                    one["name"],
                    project=group["project"] if group else "p-0",
                    group=group["id"] if group else None,
                    vcpus=rnd.randint(1, 2),
                    migration_type=rnd.choice(["LIVE_MIGRATE", "MIGRATE", "OWN_ACTION"]),
                    live_migration_seconds=rnd.choice([5, 10, 40]),
                )
            )
            free -= 1
    some = [one["name"] for one in hosts if rnd.random() < 0.7]
    return scene(
        hosts=hosts,
        projects=[
            project("p-0", scale_in=scale_in(2, 4)),
            project("p-1") if rnd.random() < 0.7 else unmanaged("p-1"),
        ],
        groups=groups,
        instances=instances,
        limits={
            name: rnd.choice([None, 1, 2, 4])
            for name in ("parallel_hosts", "parallel_migrations", "parallel_migrations_per_host")
        },
        session={
            "hosts": some if rnd.random() < 0.4 else [],
            "actions": [action(seconds=rnd.choice([5, 60, 200])), action("compute", 7)],
        },
    )
