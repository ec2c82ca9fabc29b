"""Workflow `vnf` when moves, hosts and instances do not do as expected."""

from typing import Any

import pytest

from fenix.clouds.simulated import Fault
from fenix.simulation.running import Stage
from tests.simulation.play import Play, perform
from tests.simulation.scenes import doctor, host, instance, project, scale_in
from tests.simulation.test_vnf_managers import vnf


@pytest.mark.parametrize("kind", [Fault.REFUSED, Fault.FAILS])
def test_a_move_that_failed_is_tried_again_to_another_host(kind: Fault) -> None:
    ending = perform(vnf(faults=[{"instance": "i-1", "move": kind}]))
    first, second = [one for one in ending.moves if one.instance_id == "i-1"][:2]
    assert (first.state, second.state) == ("FAILED", "DONE")
    ready = [one for one in ending.of("host.maintenance.finished") if one["t"] < 60]
    assert first.target != second.target or len(ready) < 2


@pytest.mark.parametrize("kind", [Fault.REFUSED, Fault.FAILS, Fault.ERROR])
def test_a_move_that_always_fails_names_the_instance(kind: Fault) -> None:
    ending = perform(
        vnf(faults=[{"instance": "i-1", "move": kind, "times": 9}]), state="MAINTENANCE_FAILED"
    )
    assert "instance i-1 could not be moved off compute-1" in ending.reason
    tries = [one for one in ending.moves if one.instance_id == "i-1"]
    assert len(tries) == (1 if kind is Fault.ERROR else 3)
    assert ending.disabled() == set()


def test_a_move_that_never_ends_is_given_up() -> None:
    ending = perform(
        vnf(faults=[{"instance": "i-1", "move": "stuck"}]),
        move_timeout=100.0,
        state="MAINTENANCE_FAILED",
    )
    assert ending.reason == "instance i-1 was busy for 120 s"
    assert ending.disabled() == set()


def test_a_dead_target_is_not_used_again() -> None:
    ending = perform(
        vnf(
            hosts=[host(f"compute-{number}") for number in range(1, 5)],
            session={"hosts": ["compute-1"]},
            instances=[instance("i-1", "compute-1"), instance("i-2", "compute-2")],
            faults=[{"host": "compute-2", "at": 10}],
        )
    )
    tries = [one for one in ending.moves if one.instance_id == "i-1"]
    assert [one.state for one in tries] == ["FAILED", "DONE"]
    assert tries[0].target == "compute-2"
    assert tries[1].target != "compute-2"


def test_a_host_that_dies_while_it_is_drained_is_named() -> None:
    ending = perform(vnf(faults=[{"host": "compute-1", "at": 8}]), state="MAINTENANCE_FAILED")
    assert "compute-1" in ending.reason


def test_failed_work_on_a_host_leaves_that_one_disabled_and_no_other() -> None:
    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-3"] = "the new kernel does not boot"

    ending = perform(vnf(), prepare=broken, state="MAINTENANCE_FAILED")
    assert "host compute-3: host action simulated failed: the new kernel" in ending.reason
    assert ending.disabled() == {"compute-3"}


def test_a_failed_session_can_go_on() -> None:
    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-2"] = "the new kernel does not boot"

    async def repair(play: Play) -> None:
        await play.closed()
        play.stage.actions.failing.clear()
        play.stop_all()
        play.running.clear()
        await play.go_on()
        play.start("engine-2")

    ending = perform(vnf(), repair, prepare=broken)
    assert ending.stage.actions.starts["compute-2", "simulated"] == 2
    assert ending.stage.actions.starts["compute-3", "simulated"] == 1


@pytest.mark.parametrize("kind", ["instance.move.started", "host.maintenance.started"])
def test_a_session_can_be_deleted_in_the_middle(kind: str) -> None:
    async def story(play: Play) -> None:
        await play.event(kind)
        await play.delete()

    assert perform(vnf(), story, state=None).disabled() == set()


def test_instances_come_and_go_meanwhile() -> None:
    new = instance("i-new", "", group=None)
    ending = perform(
        vnf(
            session={"actions": [{"type": "host", "seconds": 600}]},
            faults=[{"appears": new, "at": 6.5}, {"vanishes": "i-2", "at": 100}],
        )
    )
    assert "i-new" in ending.places()
    assert "i-2" not in ending.places()


def test_hosts_outside_the_session_take_instances_for_good() -> None:
    ending = perform(vnf(session={"hosts": ["compute-1"]}))
    assert [one["host"] for one in ending.of("host.maintenance.started")] == ["compute-1"]
    assert ending.told("app").count("PREPARE_MAINTENANCE") == 0
    assert len(ending.moves) == 1


def test_controllers_come_first_one_at_a_time() -> None:
    names = ["compute-1", "compute-2", "control-1", "control-2"]
    hosts = [host(name, type="controller" if "control" in name else "compute") for name in names]
    ending = perform(vnf(hosts=hosts, session={"hosts": names}, instances=[]))
    order = [one["host"] for one in ending.of("host.maintenance.started")]
    assert order[:2] == ["control-1", "control-2"]
    assert set(order[2:]) == {"compute-1", "compute-2"}


def test_an_instance_stays_in_its_zone() -> None:
    def pin(stage: Stage) -> None:
        for one in stage.world.instances.values():
            one.zone = "west"

    hosts = [host(f"compute-{n}", zone="west" if n < 4 else "east") for n in range(1, 6)]
    ending = perform(vnf(hosts=hosts), prepare=pin)
    assert set(ending.places().values()) <= {"compute-1", "compute-2", "compute-3"}


def full(projects: list[dict[str, Any]]) -> Any:
    """Three full hosts; each project has one instance on each."""
    half = {"vcpus": 4, "memory_mb": 4096, "disk_gb": 40}
    return vnf(
        projects=projects,
        groups=[
            {"id": f"g-{one['id']}", "project": one["id"], "removable": True} for one in projects
        ],
        instances=[
            instance(
                f"{one['id']}-{n}",
                f"compute-{n}",
                project=one["id"],
                group=f"g-{one['id']}",
                **half,
            )
            for one in projects
            for n in (1, 2, 3)
        ],
    )


def test_as_few_projects_as_needed_are_asked_for_capacity() -> None:
    giving = scale_in(instances=2, at_most=2)
    ending = perform(full([project("a", scale_in=giving), project("b", scale_in=giving)]))
    assert [ending.told(one).count("SCALE_IN") for one in ("a", "b")] == [1, 1]


def test_doctors_cloud_scales_in() -> None:
    cloud = doctor()
    cloud = cloud.model_copy(
        update={"session": cloud.session.model_copy(update={"workflow": "vnf"})}
    )
    ending = perform(cloud)
    assert ending.told("doctor").count("SCALE_IN") == 1


def test_a_blocked_session_says_what_is_lacking_for_whom() -> None:
    ending = perform(full([project("a"), project("b")]), state="MAINTENANCE_FAILED")
    assert "project a NACK_SCALE_IN" in ending.reason
    assert "project b NACK_SCALE_IN" in ending.reason
    assert "host compute-1: instance a-1" in ending.reason
    assert "lacks 4 vCPUs, 4096 MiB" in ending.reason
    assert ending.disabled() == set()


def test_a_detour_is_taken_where_nothing_else_helps() -> None:
    """`test_vnf_complete` has many more."""
    small, large = {"memory_mb": 512, "disk_gb": 1}, {"memory_mb": 3072, "disk_gb": 1}
    ending = perform(
        vnf(
            hosts=[
                host("compute-0", memory_mb=4096),
                host("compute-1", memory_mb=4096),
                host("compute-2"),
                host("compute-3", vcpus=12),
            ],
            instances=[
                instance("i-1", "compute-0", vcpus=4, **small),
                instance("i-2", "compute-0", vcpus=4, **large),
                instance("i-7", "compute-1", vcpus=2, **small),
                instance("i-3", "compute-2", vcpus=1, **small),
                instance("i-4", "compute-2", vcpus=1, **small),
                instance("i-5", "compute-2", vcpus=2, **large),
                instance("i-0", "compute-3", vcpus=3, **large),
                instance("i-9", "compute-3", vcpus=6, **large),
            ],
        )
    )
    assert [one for one in ending.timeline if one.what == "session.detour"]
