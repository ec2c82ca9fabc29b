"""Nova's and Placement's answers in the words of the domain."""

from typing import Any

import pytest

from fenix.clouds import CloudError, CloudUnavailable
from fenix.clouds.openstack.groups import group, group_of_members
from fenix.clouds.openstack.hosts import hosts
from fenix.clouds.openstack.placement import NO_LIMIT, Room, capacity_of, room
from fenix.clouds.openstack.servers import Server, instance, size, status
from fenix.domain import ZERO, Group, Host, HostType, InstanceStatus, Resources

FLAVOR = {"vcpus": 2, "ram": 512, "disk": 10, "ephemeral": 5, "swap": 0}


def server(**changes: Any) -> dict[str, Any]:
    return {
        "id": "i",
        "name": "web",
        "tenant_id": "p",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-SRV-ATTR:host": "h1",
        "image": {"id": "x"},
        "flavor": FLAVOR,
        **changes,
    }


@pytest.mark.parametrize(
    ("nova", "task", "expected"),
    [
        ("ACTIVE", None, InstanceStatus.ACTIVE),
        ("PAUSED", None, InstanceStatus.ACTIVE),
        ("SHUTOFF", None, InstanceStatus.STOPPED),
        ("SUSPENDED", None, InstanceStatus.STOPPED),
        ("RESCUE", None, InstanceStatus.STOPPED),
        ("SHELVED", None, InstanceStatus.STOPPED),
        ("ERROR", None, InstanceStatus.ERROR),
        ("ERROR", "deleting", InstanceStatus.ERROR),
        ("ACTIVE", "powering-off", InstanceStatus.BUSY),
        ("MIGRATING", "migrating", InstanceStatus.BUSY),
        ("BUILD", "spawning", InstanceStatus.BUSY),
        ("VERIFY_RESIZE", None, InstanceStatus.BUSY),
        ("PASSWORD", None, InstanceStatus.BUSY),
        ("A_STATUS_OF_2040", None, InstanceStatus.BUSY),
    ],
)
def test_status(nova: str, task: str | None, expected: InstanceStatus) -> None:
    assert status(nova, task) is expected


@pytest.mark.parametrize(
    ("changes", "disk"),
    [
        ({}, 15),
        ({"image": ""}, 5),  # booted from a volume: no root disk on the host
        ({"flavor": {**FLAVOR, "swap": 1}}, 16),
        ({"flavor": {**FLAVOR, "swap": 1025}}, 17),
        ({"flavor": {**FLAVOR, "swap": ""}}, 15),  # Nova's way to say none in old answers
    ],
)
def test_size(changes: dict[str, Any], disk: int) -> None:
    assert size(server(**changes)) == Resources(2, 512, disk)


def test_instance() -> None:
    found = instance(server(pinned_availability_zone="az1"), {"i": "g"})
    assert found is not None
    assert (found.id, found.name, found.project_id, found.host) == ("i", "web", "p", "h1")
    assert (found.group_id, found.zone) == ("g", "az1")
    plain = instance(server(), {})
    assert plain is not None
    assert (plain.group_id, plain.zone) == (None, None)


def test_instances_without_a_host_are_left_out() -> None:
    assert instance(server(**{"OS-EXT-SRV-ATTR:host": None}), {}) is None
    assert instance(server(status="SOFT_DELETED"), {}) is None


def test_an_instance_of_a_silent_cell_makes_the_inventory_impossible() -> None:
    with pytest.raises(CloudUnavailable, match="cell of instance i"):
        instance({"id": "i", "status": "UNKNOWN", "tenant_id": "p"}, {})


def test_an_account_that_may_not_see_hosts_is_told_so() -> None:
    blind = server()
    del blind["OS-EXT-SRV-ATTR:host"]
    with pytest.raises(CloudError, match="os-extended-server-attributes"):
        instance(blind, {})


def test_server_with_and_without_a_fault() -> None:
    assert Server.of(server()) == Server("i", "ACTIVE", None, "h1", "")
    assert Server.of(server(fault={"code": 500, "message": "no"})).fault == "no"


@pytest.mark.parametrize(
    ("policy", "rules", "anti_affinity", "most"),
    [
        ("anti-affinity", {}, True, 1),
        ("anti-affinity", {"max_server_per_host": "1"}, True, 1),
        ("anti-affinity", {"max_server_per_host": 3}, False, 3),
        ("soft-anti-affinity", {}, False, 0),
        ("affinity", {}, False, 0),
        ("soft-affinity", None, False, 0),
    ],
)
def test_group(policy: str, rules: object, anti_affinity: bool, most: int) -> None:
    answer = {"id": "g", "project_id": "p", "policy": policy, "rules": rules, "members": []}
    assert group(answer) == Group("g", "p", anti_affinity, most)


def test_members_know_their_group() -> None:
    groups = [{"id": "g", "members": ["a", "b"]}, {"id": "h", "members": ["c"]}]
    assert group_of_members(groups) == {"a": "g", "b": "g", "c": "h"}


def test_what_a_flavor_asks_of_aggregates() -> None:
    specs = {
        "aggregate_instance_extra_specs:ssd": "true",
        "aggregate_instance_extra_specs:rack": "<or> 7 <or> 8",
        "hw:cpu_policy": "dedicated",
        "ssd": "nvme",
    }
    found = instance(server(flavor={**FLAVOR, "extra_specs": specs}), {})
    assert found is not None
    assert found.requires == {"ssd=true"}


def service(host: str, binary: str, **changes: Any) -> dict[str, Any]:
    return {
        "host": host,
        "binary": binary,
        "status": "enabled",
        "state": "up",
        "zone": "nova" if binary == "nova-compute" else "internal",
        "disabled_reason": None,
        **changes,
    }


def test_hosts() -> None:
    found = hosts(
        [
            service("c1", "nova-conductor", state="down"),
            service("c1", "nova-scheduler"),
            service("c2", "nova-consoleauth"),
            service("all-in-one", "nova-scheduler"),
            service("all-in-one", "nova-compute"),
            service("h1", "nova-compute", status="disabled", disabled_reason="x", state="down"),
        ],
        [
            {"hosts": ["h1"], "metadata": {"ssd": "true, nvme", "filter_tenant_id": "a"}},
            {"hosts": ["h1", "all-in-one"], "metadata": {"rack": "7"}},
            {"hosts": ["h1"], "metadata": {"filter_tenant_id_2": "b,c"}},
        ],
        {"h1": Room(Resources(4, 5, 6), Resources(1, 2, 3))},
    )
    assert found == {
        "c1": Host("c1", type=HostType.CONTROLLER, zone="internal"),
        "all-in-one": Host("all-in-one", offers=frozenset({"rack=7"})),
        "h1": Host(
            "h1",
            capacity=Resources(4, 5, 6),
            used=Resources(1, 2, 3),
            enabled=False,
            disabled_reason="x",
            up=False,
            projects=frozenset("abc"),
            offers=frozenset(
                {
                    "ssd=true",
                    "ssd=nvme",
                    "rack=7",
                    "filter_tenant_id=a",
                    "filter_tenant_id_2=b",
                    "filter_tenant_id_2=c",
                }
            ),
        ),
    }


def test_a_service_of_a_silent_cell_makes_the_inventory_impossible() -> None:
    silent = {"host": "h1", "binary": "nova-compute", "status": "UNKNOWN"}
    with pytest.raises(CloudUnavailable, match="cell of host h1"):
        hosts([silent], [], {})


def test_room() -> None:
    capacity = {"VCPU": 16, "PCPU": 4, "MEMORY_MB": 1024, "DISK_GB": 100, "VGPU": 1}
    assert room(capacity, {"VCPU": 3, "MEMORY_MB": 8}) == Room(
        Resources(20, 1024, 100), Resources(3, 8, 0)
    )


def test_a_host_without_disks_of_its_own_is_not_limited_by_them() -> None:
    assert room({"VCPU": 1, "MEMORY_MB": 2}, {}).capacity == Resources(1, 2, NO_LIMIT)
    assert room({}, {}).capacity == ZERO


def test_capacity_counts_reservation_and_overcommit() -> None:
    assert capacity_of({"total": 8, "reserved": 1, "allocation_ratio": 1.5}) == 10
