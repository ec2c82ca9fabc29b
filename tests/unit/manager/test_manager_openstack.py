"""The manager's back end for OpenStack, with a project's rights, on a real Nova and Neutron."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import openstack
import pytest
import yaml
from openstack.connection import Connection

from fenix.manager.errors import Refused, Unavailable
from fenix.manager.identity import KeystoneIdentity
from fenix.manager.openstack_tenant import OpenStackTenant

pytestmark = [
    pytest.mark.openstack,
    # openstacksdk warns of what it does itself.
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 60.0


@pytest.fixture(scope="module")
def account() -> dict[str, str]:
    """How the administrator of a running devcloud authenticates."""
    ensure = [sys.executable, "-m", "devcloud", "ensure", "3", "--vcpus", "4"]
    done = subprocess.run(ensure, cwd=ROOT, capture_output=True, text=True, timeout=900)
    if done.returncode:
        why = f"devcloud can't be had:\n{(done.stdout + done.stderr)[-2000:]}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    show = [sys.executable, "-m", "devcloud", "env"]
    shown = subprocess.run(show, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    (file,) = re.findall(r"OS_CLIENT_CONFIG_FILE=(\S+)", shown.stdout)
    auth: dict[str, str] = yaml.safe_load(Path(file).read_text())["clouds"]["devcloud"]["auth"]
    return auth


def connect(account: dict[str, str], name: str, project: str) -> Connection:
    options: dict[str, Any] = account | {"username": name, "project_name": project}
    return openstack.connect(**options, region_name="RegionOne")


@pytest.fixture
def project(account: dict[str, str]) -> Iterator[Connection]:
    """A new project with an anti-affine pair and a worker in a network of its own."""
    name = f"manager-{uuid4().hex[:8]}"
    admin = connect(account, account["username"], account["project_name"])
    identity: Any = admin.identity  # version 3
    project = identity.create_project(name=name, domain_id="default")
    user = identity.create_user(name=name, password=account["password"], domain_id="default")
    member = identity.find_role("member", ignore_missing=False)
    identity.assign_project_role_to_user(project, user, member)
    mine = connect(account, name, name)
    try:
        network = mine.network.create_network(name="inside")
        mine.network.create_subnet(
            network_id=network.id, cidr="10.9.0.0/24", ip_version=4, enable_dhcp=False
        )
        group = mine.compute.create_server_group(name="pair", policy="anti-affinity")
        for server, hints in (
            ("ha-0", {"group": group.id}),
            ("ha-1", {"group": group.id}),
            ("worker-0", None),
        ):
            made = mine.compute.create_server(
                name=server,
                flavor_id=mine.compute.find_flavor("v1", ignore_missing=False).id,
                image_id=next(iter(mine.image.images(name="tiny"))).id,
                networks=[{"uuid": network.id}],
                metadata={"role": server},
                **({"scheduler_hints": hints} if hints else {}),
            )
            mine.compute.wait_for_server(made, interval=0.3, wait=LIMIT)
        yield mine
    finally:
        for left in mine.compute.servers():
            mine.compute.delete_server(left)
            mine.compute.wait_for_delete(left, interval=1, wait=int(LIMIT))
        mine.close()
        identity.delete_user(user)
        admin.close()


@pytest.fixture
def tenant(project: Connection) -> Iterator[OpenStackTenant]:
    tenant = OpenStackTenant(project, LIMIT)
    yield tenant
    tenant.close()


def ids(tenant: OpenStackTenant) -> dict[str, str]:
    return {instance.name: instance.id for instance in tenant.instances()}


def active(tenant: OpenStackTenant) -> list[str]:
    return [instance.name for instance in tenant.instances() if instance.active]


def test_instances_know_their_groups(tenant: OpenStackTenant) -> None:
    (group,) = tenant.groups()
    assert (group.name, group.anti_affinity, group.max_instances_per_host) == ("pair", True, 0)
    assert [(i.name, i.group_id, i.ready) for i in tenant.instances()] == [
        ("ha-0", group.id, True),
        ("ha-1", group.id, True),
        ("worker-0", None, True),
    ]


def test_a_mark_moves_where_there_are_no_floating_ips(
    project: Connection, tenant: OpenStackTenant
) -> None:
    known = ids(tenant)
    assert active(tenant) == []
    project.compute.set_server_metadata(known["ha-0"], active="true")
    assert active(tenant) == ["ha-0"]
    tenant.make_active(known["ha-0"], known["ha-1"])
    assert active(tenant) == ["ha-1"]
    assert tenant.replace(known["ha-1"]).active


def test_a_floating_ip_moves(
    account: dict[str, str], project: Connection, tenant: OpenStackTenant
) -> None:
    known = ids(tenant)
    admin = connect(account, account["username"], account["project_name"])
    outside = admin.network.create_network(
        name=f"outside-{uuid4().hex[:8]}", is_router_external=True
    )
    admin.network.create_subnet(
        network_id=outside.id, cidr="172.24.4.0/24", ip_version=4, enable_dhcp=False
    )
    inside = project.network.find_network("inside", ignore_missing=False)
    router = project.network.create_router(external_gateway_info={"network_id": outside.id})
    project.network.add_interface_to_router(router, inside.subnet_ids[0])
    holder = next(iter(project.network.ports(device_id=known["ha-0"])))
    address = project.network.create_ip(floating_network_id=outside.id, port_id=holder.id)
    try:
        assert active(tenant) == ["ha-0"]
        tenant.make_active(known["ha-0"], known["ha-1"])
        assert active(tenant) == ["ha-1"]
        # One that nobody could take over from keeps its address.
        assert tenant.replace(known["ha-1"]).active
        assert active(tenant) == ["ha-1"]
    finally:
        project.network.delete_ip(address)
        project.network.remove_interface_from_router(router, inside.subnet_ids[0])
        project.network.delete_router(router)
        admin.network.delete_network(outside)
        admin.close()


def test_a_replacement_has_all_but_the_id(project: Connection, tenant: OpenStackTenant) -> None:
    old = ids(tenant)["ha-0"]
    before = tenant.blueprint(old)
    new = tenant.replace(old)
    assert (new.name, new.ready, new.active) == ("ha-0", True, False)
    assert new.id != old
    assert tenant.blueprint(new.id) == before
    assert before["metadata"] == {"role": "ha-0"}
    assert ids(tenant) == ids(tenant) | {"ha-0": new.id}


def test_deletion_is_complete_and_repeatable(tenant: OpenStackTenant) -> None:
    worker = ids(tenant)["worker-0"]
    blueprint = tenant.blueprint(worker)
    tenant.delete(worker)
    assert "worker-0" not in ids(tenant)
    tenant.delete(worker)
    with pytest.raises(Refused):
        tenant.blueprint(worker)
    assert tenant.create(blueprint).name == "worker-0"


def test_what_finds_no_host_is_refused_and_leaves_nothing(tenant: OpenStackTenant) -> None:
    blueprint = tenant.blueprint(ids(tenant)["ha-0"])
    tenant.create({**blueprint, "name": "ha-2"})
    with pytest.raises(Refused, match="ha-3 could not be created: No valid host"):
        tenant.create({**blueprint, "name": "ha-3"})
    assert sorted(ids(tenant)) == ["ha-0", "ha-1", "ha-2", "worker-0"]


def test_tokens_are_those_of_the_project(project: Connection) -> None:
    identity = KeystoneIdentity(project)
    assert identity.project_id() == project.current_project_id
    first = identity.headers()
    assert identity.headers() == first
    assert identity.headers(renew=True) != first


def test_failures_are_told_apart(account: dict[str, str]) -> None:
    stranger = connect(account, "nobody", "nowhere")
    with pytest.raises(Refused, match="401"):
        OpenStackTenant(stranger, LIMIT).instances()
    away = connect(account | {"auth_url": "http://127.0.0.1:1/v3"}, "nobody", "nowhere")
    with pytest.raises(Unavailable):
        OpenStackTenant(away, LIMIT).instances()
    with pytest.raises(Unavailable):
        KeystoneIdentity(away).headers()
    stranger.close()
    away.close()
