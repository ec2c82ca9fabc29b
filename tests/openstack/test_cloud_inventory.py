"""What the driver reads of the cloud, held against what Nova and Placement say one by one."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from devcloud import hypervisor

from fenix.clouds import MovePhase, MoveTicket
from fenix.clouds.openstack import OpenStackCloud
from fenix.clouds.openstack.api import Api, Calls
from fenix.clouds.openstack.connect import NOVA, PLACEMENT
from fenix.clouds.openstack.moves import Watch
from fenix.clouds.openstack.placement import NO_LIMIT, Room, read_rooms
from fenix.domain import (
    Group,
    HostType,
    InstanceStatus,
    Inventory,
    MoveAction,
    Resources,
)
from tests.openstack.conftest import VCPUS
from tests.openstack.lab import HOSTS, PATIENCE, Lab, utcnow

pytestmark = pytest.mark.openstack
H1, H2, H3 = HOSTS
CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")


def inventory(cloud: OpenStackCloud) -> Inventory:
    return asyncio.run(cloud.inventory())


def assert_hosts_are_as_placement_says(lab: Lab, found: Inventory) -> None:
    providers = lab.providers()
    for name in HOSTS:
        inventories, usages = lab.figures(providers[name])
        capacity = [
            int((each["total"] - each["reserved"]) * each["allocation_ratio"])
            for each in (inventories[resource] for resource in CLASSES)
        ]
        assert found.hosts[name].capacity == Resources(*capacity)
        assert found.hosts[name].used == Resources(*(usages[resource] for resource in CLASSES))


def test_hosts_have_placements_figures(cloud: OpenStackCloud, lab: Lab) -> None:
    lab.boot("a", H1, flavor="v1")
    lab.boot("b", H2, flavor="v2")
    found = inventory(cloud)
    assert_hosts_are_as_placement_says(lab, found)
    assert found.hosts[H1].capacity.vcpus == VCPUS
    assert [found.hosts[name].used.vcpus for name in HOSTS] == [1, 2, 0]
    assert all(found.hosts[name].up and found.hosts[name].enabled for name in HOSTS)
    assert {found.hosts[name].zone for name in HOSTS} == {"nova"}
    controllers = [host for host in found.hosts.values() if host.type is HostType.CONTROLLER]
    assert [(host.up, host.free) for host in controllers] == [(True, Resources())]


def test_a_full_host_is_read_as_well(cloud: OpenStackCloud, lab: Lab) -> None:
    for name in HOSTS:
        lab.boot(name, name, flavor="v4")
    found = inventory(cloud)
    assert_hosts_are_as_placement_says(lab, found)
    assert [found.hosts[name].free.vcpus for name in HOSTS] == [0, 0, 0]


def test_a_move_counts_on_both_hosts(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(H1, live_migration_s=PATIENCE)
    lab.act(instance, **{"os-migrateLive": {"host": H2, "block_migration": "auto"}})
    lab.eventually(
        lambda: any(one["status"] == "running" for one in lab.migrations(instance)) or None
    )
    found = inventory(cloud)
    assert found.hosts[H1].used == found.hosts[H2].used == Resources(1, 256, 1)
    assert found.instances[instance].status is InstanceStatus.BUSY
    assert found.instances[instance].host == H1
    hypervisor.reset(H1)
    lab.until(instance, lambda found: found["OS-EXT-SRV-ATTR:host"] == H2)


def test_instances(cloud: OpenStackCloud, lab: Lab) -> None:
    active, stopped, paused = (lab.boot(name, H1) for name in ("active", "stopped", "paused"))
    verifying, shelved = lab.boot("verifying", H2), lab.boot("shelved", H2)
    lab.stop(stopped)
    lab.act(paused, pause=None)
    lab.until(paused, lambda found: found["status"] == "PAUSED")
    lab.act(shelved, shelve=None)
    lab.until(shelved, lambda found: found["status"] == "SHELVED_OFFLOADED")
    hypervisor.behave(H3, fail=["finish_migration"])
    broken = lab.boot("broken", H2)
    lab.act(broken, migrate={"host": H3})
    lab.eventually(lambda: lab.server(broken)["status"] == "ERROR" or None)
    hypervisor.reset(H3)
    lab.act(verifying, migrate={"host": H3})
    lab.until(verifying, lambda found: found["status"] == "VERIFY_RESIZE")
    found = inventory(cloud)
    assert {one.id: (one.status, one.host) for one in found.instances.values()} == {
        active: (InstanceStatus.ACTIVE, H1),
        stopped: (InstanceStatus.STOPPED, H1),
        paused: (InstanceStatus.ACTIVE, H1),
        verifying: (InstanceStatus.BUSY, H3),
        broken: (InstanceStatus.ERROR, H3),
    }
    one = found.instances[active]
    assert (one.name, one.size) == ("active", Resources(1, 256, 1))
    assert one.project_id == lab.server(active)["tenant_id"]
    assert (one.group_id, one.zone) == (None, None)
    assert {each.id for each in found.on(H1)} == {active, stopped, paused}


def test_groups(cloud: OpenStackCloud, lab: Lab) -> None:
    pair = lab.group("pair", "anti-affinity")
    trio = lab.group("trio", "anti-affinity", max_server_per_host=3)
    soft = lab.group("soft", "soft-anti-affinity")
    a, b = (lab.boot(name, hints={"group": pair}) for name in "ab")
    c = lab.boot("c", hints={"group": trio})
    found = inventory(cloud)
    project = lab.session.get_project_id()
    assert found.groups == {
        pair: Group(pair, project, anti_affinity=True, max_instances_per_host=1),
        trio: Group(trio, project, anti_affinity=False, max_instances_per_host=3),
        soft: Group(soft, project),
    }
    assert [found.instances[one].group_id for one in (a, b, c)] == [pair, pair, trio]
    assert found.instances[a].host != found.instances[b].host


def test_zones_and_aggregates(cloud: OpenStackCloud, lab: Lab) -> None:
    lab.aggregate("east", [H1, H2], zone="az-east")
    lab.aggregate("ssd", [H2], disk="ssd")
    found = inventory(cloud)
    assert [found.hosts[name].zone for name in HOSTS] == ["az-east", "az-east", "nova"]
    assert [found.hosts[name].offers for name in HOSTS] == [
        {"availability_zone=az-east"},
        {"availability_zone=az-east", "disk=ssd"},
        set(),
    ]
    pinned = lab.boot("pinned", availability_zone="az-east")
    free = lab.boot("free", H1)
    found = inventory(cloud)
    assert found.instances[pinned].zone == "az-east"
    assert found.instances[free].zone is None


def test_one_host_is_read_alone(cloud: OpenStackCloud, lab: Lab) -> None:
    lab.aggregate("east", [H1], zone="az-east")
    here, there = lab.boot("here", H1), lab.boot("there", H2)
    lab.switch(H1, status="disabled", disabled_reason="why")
    whole = inventory(cloud)
    cloud.calls.clear()
    one = asyncio.run(cloud.inventory_of(H1))
    assert one.hosts == {H1: whole.hosts[H1]}
    assert one.hosts[H1].disabled_reason == "why"
    assert one.instances == {here: whole.instances[here]}
    assert cloud.calls == Counter(
        {
            "GET /os-services": 1,
            "GET /os-aggregates": 1,
            "GET /resource_providers/{id}/inventories": 1,
            "GET /resource_providers/{id}/usages": 1,
            "GET /servers/detail": 1,
        }
    )
    assert set(asyncio.run(cloud.inventory_of(H2)).instances) == {there}
    assert asyncio.run(cloud.inventory_of(H3)) == Inventory({H3: whole.hosts[H3]}, {})
    assert asyncio.run(cloud.inventory_of("unknown")) == Inventory({}, {})


def test_an_inventory_takes_a_handful_of_requests(cloud: OpenStackCloud, lab: Lab) -> None:
    lab.boot("a")
    lab.group("g", "affinity")
    inventory(cloud)
    cloud.calls.clear()
    inventory(cloud)
    assert cloud.calls == Counter(
        {
            "GET /os-services": 1,
            "GET /os-aggregates": 1,
            "GET /allocation_candidates": 1,
            "GET /os-server-groups": 2,
            "GET /servers/detail": 1,
        }
    )


def test_lists_are_read_to_their_end(lab: Lab) -> None:
    nova = Api("Nova", lab.compute, Calls(), *NOVA)
    instances = {lab.boot(f"a{number}") for number in range(3)}
    one_a_page = {"all_tenants": "true", "limit": 1}
    servers = [each["id"] for each in nova.pages("/servers/detail", "servers", one_a_page)]
    assert sorted(servers) == sorted(instances)
    nodes = [each["id"] for each in nova.pages("/os-hypervisors", "hypervisors", {"limit": 2})]
    assert len(nodes) == len(set(nodes)) >= len(HOSTS)


def test_many_servers_are_looked_at_in_lists(lab: Lab) -> None:
    calls = Calls()
    watch = Watch(Api("Nova", lab.compute, calls, *NOVA), few=0)
    stays, goes = lab.boot("stays", H1), lab.boot("goes", H1)
    since = utcnow()
    lab.act(goes, **{"os-migrateLive": {"host": H2, "block_migration": "auto"}})
    lab.eventually(
        lambda: any(one["status"] == "completed" for one in lab.migrations(goes)) or None
    )
    lab.until(goes, lambda found: found["OS-EXT-SRV-ATTR:host"] == H2)
    gone = str(uuid4())
    tickets = [
        MoveTicket(instance, MoveAction.LIVE_MIGRATE, H1, None, since)
        for instance in (stays, goes, gone)
    ]
    found = {status.instance_id: (status.phase, status.host) for status in watch.look(tickets)}
    assert found == {
        stays: (MovePhase.NOT_STARTED, H1),
        goes: (MovePhase.DONE, H2),
        gone: (MovePhase.GONE, None),
    }
    assert calls.counter["GET /servers/detail"] == 2
    assert calls.counter["GET /servers/{id}"] == 1


@pytest.mark.parametrize("left", [(), ("VCPU",), ("DISK_GB",), ("MEMORY_MB",)])
def test_room_of_a_provider_that_is_full_but_for(lab: Lab, left: tuple[str, ...]) -> None:
    calls = Calls()
    placement = Api("Placement", lab.placement, calls, *PLACEMENT)
    with lab.provider(dict.fromkeys(CLASSES, 2)) as provider:
        lab.allocate(provider, {resource: 1 if resource in left else 2 for resource in CLASSES})
        unknown = str(uuid4())
        rooms = read_rooms(placement, [provider, unknown])
        used = Resources(*(1 if resource in left else 2 for resource in CLASSES))
        assert rooms == {provider: Room(Resources(2, 2, 2), used), unknown: Room()}
    assert (calls.counter["GET /resource_providers/{id}/usages"] == 1) == (not left)


def test_room_of_a_provider_without_disk(lab: Lab) -> None:
    placement = Api("Placement", lab.placement, Calls(), *PLACEMENT)
    with lab.provider({"VCPU": 1, "MEMORY_MB": 1}) as provider:
        assert read_rooms(placement, [provider]) == {provider: Room(Resources(1, 1, NO_LIMIT))}
