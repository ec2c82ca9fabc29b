"""Workflow `default` finds room on hosts of any size, in whatever resource is tight."""

from collections import Counter
from typing import Any

import pytest

from tests.simulation.play import Ending, perform
from tests.simulation.scenes import host, instance, project, scale_in, scene


def peak(ending: Ending) -> int:
    """How many hosts were worked on at one time."""
    return ending.stage.invariants.peak_hosts


def test_hosts_may_have_any_sizes() -> None:
    ending = perform(
        scene(
            hosts=[
                host("small", vcpus=2, memory_mb=2048, disk_gb=20),
                host("middle", vcpus=4, memory_mb=4096, disk_gb=40),
                host("large", vcpus=32, memory_mb=65536, disk_gb=500),
                host("spare", vcpus=8, memory_mb=16384, disk_gb=100),
            ],
            instances=[
                instance("i-1", "small"),
                instance("i-2", "middle", vcpus=4, memory_mb=4096, disk_gb=40),
                instance("i-3", "large", vcpus=6, memory_mb=8192, disk_gb=60),
            ],
        )
    )
    assert ending.told("app").count("SCALE_IN") == 0
    assert all(count == 1 for count in Counter(one.instance_id for one in ending.moves).values())


@pytest.mark.parametrize(
    ("tight", "amount", "whole"),
    [("memory_mb", 4096, 8192), ("disk_gb", 40, 80), ("vcpus", 4, 8)],
)
def test_every_resource_counts(tight: str, amount: int, whole: int) -> None:
    """Two instances fill a host in one resource, and use next to nothing of the others."""
    tiny: dict[str, Any] = {"vcpus": 1, "memory_mb": 1, "disk_gb": 1, tight: amount}
    on = [("i-1", "compute-1"), ("i-2", "compute-1"), ("i-3", "compute-2"), ("i-4", "compute-2")]
    ending = perform(
        scene(
            hosts=[host(f"compute-{n}", **{tight: whole}) for n in (1, 2, 3)],
            instances=[instance(ident, name, **tiny) for ident, name in on],
        )
    )
    assert peak(ending) == 1
    assert len(ending.moves) == 4


def test_a_full_cloud_scales_in_until_a_host_can_be_emptied() -> None:
    """Memory is full everywhere; the manager gives one instance at a time."""
    half = {"memory_mb": 4096, "group": "web"}
    ending = perform(
        scene(
            groups=[{"id": "web", "project": "app", "removable": True}],
            projects=[project(scale_in=scale_in(instances=1, at_most=3))],
            hosts=[host(f"compute-{n}") for n in (1, 2, 3)],
            instances=[instance(f"i-{n}", f"compute-{1 + n % 3}", **half) for n in range(6)],
        )
    )
    assert ending.told("app").count("SCALE_IN") == 2
    assert len(ending.stage.world.instances) == 6


def test_without_any_room_the_reason_says_what_is_lacking() -> None:
    full = {"vcpus": 1, "memory_mb": 8192, "disk_gb": 1}
    ending = perform(
        scene(instances=[instance(f"i-{n}", f"compute-{n}", **full) for n in (1, 2, 3)]),
        state="MAINTENANCE_FAILED",
    )
    assert "project app NACK_SCALE_IN" in ending.reason
    assert "compute-1: instance i-1" in ending.reason
    assert "lacks 0 vCPUs, 8192 MiB, 0 GiB" in ending.reason


def empty_cloud(hosts: int, **more: Any) -> Any:
    return scene(hosts=[host(f"compute-{n}") for n in range(1, hosts + 1)], instances=[], **more)


def test_empty_hosts_are_worked_on_side_by_side() -> None:
    ending = perform(empty_cloud(5))
    assert peak(ending) == 5
    assert ending.of("host.maintenance.finished")[-1]["t"] == 65.0


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_limit_of_parallel_hosts_is_used_and_kept(limit: int) -> None:
    ending = perform(empty_cloud(5, limits={"parallel_hosts": limit}))
    assert peak(ending) == limit


@pytest.mark.parametrize("limit", [None, 1, 2])
def test_hosts_are_emptied_side_by_side_as_far_as_there_is_room(limit: int | None) -> None:
    """One spare host takes the instances of the four others, which are nearly empty."""
    ending = perform(
        scene(
            hosts=[host(f"compute-{n}") for n in range(1, 6)],
            instances=[instance(f"i-{n}", f"compute-{n}") for n in range(1, 5)],
            limits={"parallel_hosts": limit},
        )
    )
    assert peak(ending) == (limit or 4)
    assert ending.told("app").count("PLANNED_MAINTENANCE") == (1 if limit is None else 4 // limit)
    assert ending.told("app").count("PREPARE_MAINTENANCE") == 0


@pytest.mark.parametrize("limit", [1, 2])
def test_the_limits_of_parallel_moves_are_kept(limit: int) -> None:
    together = scene(
        instances=[instance(f"i-{n}", "compute-1") for n in range(4)],
        limits={"parallel_migrations": limit},
    )
    assert perform(together).first("host.maintenance.started", host="compute-1") == (
        65 + 1 + 40 / limit
    )
    on_each = scene(
        instances=[instance(f"i-{n}", f"compute-{1 + n % 2}") for n in range(4)],
        limits={"parallel_migrations_per_host": limit},
    )
    perform(on_each)


def test_only_the_hosts_of_the_session_are_worked_on() -> None:
    ending = perform(scene(session={"hosts": ["compute-1"]}))
    assert [event["host"] for event in ending.of("host.maintenance.started")] == ["compute-1"]
    assert [event["host"] for event in ending.of("host.disabled")] == ["compute-1"]
    assert ending.told("app").count("PLANNED_MAINTENANCE") == 1


def test_anti_affine_instances_never_meet() -> None:
    """The pair's hosts are the only ones that are occupied, so both are emptied at once."""
    ending = perform(
        scene(
            groups=[{"id": "pair", "project": "app", "anti_affinity": True}],
            instances=[
                instance("i-1", "compute-1", group="pair"),
                instance("i-2", "compute-2", group="pair"),
            ],
        )
    )
    assert len(set(ending.places().values())) == 2
