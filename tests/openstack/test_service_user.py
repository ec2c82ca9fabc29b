"""Fenix's own account: application credentials, and tokens that end while a session goes on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from devcloud.settings import Settings
from keystoneauth1.session import Session

from fenix.api.keystone import KeystoneAuthenticator
from fenix.clouds.openstack import OpenStackCloud
from fenix.config import load
from tests.api.harness import Api
from tests.openstack.conftest import MakeCloud
from tests.openstack.expired import expired

pytestmark = pytest.mark.openstack

APPLICATION_CREDENTIAL = """
auth_type = v3applicationcredential
auth_url = {auth_url}
application_credential_id = {id}
application_credential_secret = {secret}
"""


@pytest.fixture
def credential(devcloud: Settings, admin: Session) -> Iterator[str]:
    """Options of a group with an application credential of the administrator."""
    where = f"{devcloud.auth_url}/users/{admin.get_user_id()}/application_credentials"
    body = {"application_credential": {"name": f"fenix-{uuid4().hex[:8]}"}}
    made = admin.post(where, json=body).json()["application_credential"]
    yield APPLICATION_CREDENTIAL.format(auth_url=devcloud.auth_url, **made)
    admin.delete(f"{where}/{made['id']}")


def hosts(cloud: OpenStackCloud) -> set[str]:
    return set(asyncio.run(cloud.inventory()).hosts)


def test_an_application_credential_maintains_the_cloud(
    make_cloud: MakeCloud, credential: str
) -> None:
    cloud = make_cloud(credential)
    found = hosts(cloud)
    assert found
    host = sorted(found)[0]
    assert asyncio.run(cloud.disable_host(host, "tried"))
    assert asyncio.run(cloud.enable_host(host, "tried"))


def test_an_application_credential_checks_tokens(
    credential: str, devcloud: Settings, admin: Session, tmp_path: Path
) -> None:
    file = tmp_path / "fenix.conf"
    file.write_text(f"[keystone_authtoken]\nwww_authenticate_uri = x\n{credential}")
    checks = KeystoneAuthenticator(load(files=[file]), 30)
    api = Api(checks)
    assert api.call("GET", "/v1/maintenance", as_=admin.get_token()).is_success
    api.close()
    checks.close()


def test_a_token_that_ends_during_a_session_is_renewed(
    make_cloud: MakeCloud, account: str, devcloud: Settings
) -> None:
    """As Nova sees it: refused with 401, and then another token, for reading and for acting."""
    cloud = make_cloud(account)
    found = hosts(cloud)
    auth = cloud._connection.session.auth
    host = sorted(found)[0]
    for act in (
        lambda: cloud.inventory(),
        lambda: cloud.disable_host(host, "tried"),
        lambda: cloud.enable_host(host, "tried"),
    ):
        old = expired(devcloud, auth.auth_ref.auth_token)
        auth.auth_ref._auth_token = old  # keystoneauth goes on believing in it
        asyncio.run(act())
        assert auth.auth_ref.auth_token != old


def test_the_check_of_tokens_renews_its_own(
    devcloud: Settings, admin: Session, tmp_path: Path, account: str
) -> None:
    file = tmp_path / "fenix.conf"
    file.write_text(
        f"[keystone_authtoken]\nwww_authenticate_uri = x\ntoken_cache_time = -1\n{account}"
    )
    checks = KeystoneAuthenticator(load(files=[file]), 30)
    api = Api(checks)
    auth = checks._filter._auth
    assert api.call("GET", "/v1/maintenance", as_=admin.get_token()).is_success
    old = expired(devcloud, auth.auth_ref.auth_token)
    auth.auth_ref._auth_token = old
    assert api.call("GET", "/v1/maintenance", as_=admin.get_token()).is_success
    assert auth.auth_ref.auth_token != old
    api.close()
    checks.close()
