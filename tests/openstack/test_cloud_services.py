"""Closing and opening hosts for the scheduler; accounts and clouds that do not fit."""

import asyncio
import re

import pytest
from devcloud.settings import Settings

from fenix.clouds import CloudError
from fenix.clouds.openstack import OpenStackCloud
from fenix.clouds.openstack.api import Api, Calls
from fenix.clouds.openstack.connect import connect
from fenix.domain import HostType
from tests.openstack.conftest import MakeCloud, MakeConf
from tests.openstack.lab import HOSTS, Lab

pytestmark = pytest.mark.openstack
H1, H2, H3 = HOSTS
OURS = "maintenance session 1"


def disable(cloud: OpenStackCloud, host: str, reason: str = OURS) -> bool:
    return asyncio.run(cloud.disable_host(host, reason))


def enable(cloud: OpenStackCloud, host: str, reason: str = OURS) -> bool:
    return asyncio.run(cloud.enable_host(host, reason))


def test_a_host_is_closed_and_opened(cloud: OpenStackCloud, lab: Lab) -> None:
    assert disable(cloud, H1)
    service = lab.services()[H1]
    assert (service["status"], service["disabled_reason"]) == ("disabled", OURS)
    host = asyncio.run(cloud.inventory()).hosts[H1]
    assert (host.enabled, host.disabled_reason, host.up) == (False, OURS, True)
    assert H1 not in {lab.host_of(lab.boot(f"a{number}")) for number in range(3)}
    assert disable(cloud, H1)  # again
    assert enable(cloud, H1)
    assert lab.services()[H1]["status"] == "enabled"
    assert enable(cloud, H1)  # again


def test_what_somebody_else_closed_stays_as_it_is(cloud: OpenStackCloud, lab: Lab) -> None:
    for reason in ("bad memory", None):
        lab.switch(H2, status="enabled")
        lab.switch(H2, status="disabled", **({"disabled_reason": reason} if reason else {}))
        assert not disable(cloud, H2)
        assert not enable(cloud, H2)
        service = lab.services()[H2]
        assert (service["status"], service["disabled_reason"]) == ("disabled", reason)


def test_a_reason_may_be_longer_than_nova_keeps(cloud: OpenStackCloud, lab: Lab) -> None:
    reason = "why " * 100
    assert disable(cloud, H1, reason)
    assert disable(cloud, H1, reason)
    assert enable(cloud, H1, reason)


def test_an_unknown_host_is_an_error(cloud: OpenStackCloud) -> None:
    for act in (disable, enable):
        with pytest.raises(CloudError, match="'nowhere'"):
            act(cloud, "nowhere")


def test_a_controller_is_never_open_to_instances(cloud: OpenStackCloud) -> None:
    hosts = asyncio.run(cloud.inventory()).hosts.values()
    controller = next(host.name for host in hosts if host.type is HostType.CONTROLLER)
    assert disable(cloud, controller)
    assert enable(cloud, controller)


# openstacksdk warns of this whenever it reads a clouds.yaml, whether InfluxDB is in it or not.
@pytest.mark.filterwarnings("ignore:Support for InfluxDB")
def test_a_cloud_from_clouds_yaml(
    make_cloud: MakeCloud, lab: Lab, devcloud: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(devcloud.clouds_yaml))
    found = asyncio.run(make_cloud("cloud = devcloud").inventory())
    assert set(HOSTS) <= found.hosts.keys()


def test_an_application_credential(make_cloud: MakeCloud, lab: Lab, devcloud: Settings) -> None:
    with lab.application_credential() as (ident, secret):
        cloud = make_cloud(
            f"""
            auth_type = v3applicationcredential
            auth_url = {devcloud.auth_url}
            application_credential_id = {ident}
            application_credential_secret = {secret}
            """
        )
        assert set(HOSTS) <= asyncio.run(cloud.inventory()).hosts.keys()


def test_an_expired_token_is_renewed(make_conf: MakeConf, account: str, lab: Lab) -> None:
    connection = connect(make_conf(account), Calls())
    auth, session = connection.session.auth, connection.session
    try:
        connection.compute.get("/os-services")
        spoilt = auth.get_access(session)
        spoilt._auth_token = "expired"
        connection.compute.get("/os-services")
        assert auth.get_access(session) is not spoilt
    finally:
        connection.close()


def test_an_account_that_may_not_do_this_is_told_so(
    make_cloud: MakeCloud, lab: Lab, account: str
) -> None:
    with lab.member() as name:
        cloud = make_cloud(re.sub("= (admin|devcloud)", f"= {name}", account))
        with pytest.raises(CloudError, match=r"403 .*Policy"):
            asyncio.run(cloud.inventory())


def test_a_wrong_region_is_told(make_cloud: MakeCloud, lab: Lab, account: str) -> None:
    with pytest.raises(CloudError, match="Atlantis"):
        asyncio.run(make_cloud(f"{account}\nregion_name = Atlantis").inventory())


def test_a_service_that_is_too_old_is_told(lab: Lab) -> None:
    future = Api("Nova", lab.compute, Calls(), (2, 9000), (2, 9001))
    with pytest.raises(CloudError, match=r"supports microversions 2\.1 to 2\.\d+; Fenix needs"):
        future.get("/servers")
    past = Api("Nova", lab.compute, Calls(), (2, 0), (2, 0))
    with pytest.raises(CloudError, match="Fenix needs"):
        past.get("/servers")
