"""The configuration group, without any cloud behind it."""

import asyncio
import socket
from pathlib import Path

import pytest
from oslo_config import cfg

from fenix.clouds import CloudError, CloudUnavailable
from fenix.clouds.openstack import GROUP, create, list_opts

KEYSTONE = """
auth_type = password
auth_url = http://127.0.0.1:1/v3
username = u
password = p
project_name = p
user_domain_name = Default
project_domain_name = Default
"""


def configured(folder: Path, text: str) -> cfg.ConfigOpts:
    file = folder / "fenix.conf"
    file.write_text(f"[{GROUP}]\n{text}")
    conf = cfg.ConfigOpts()
    conf(["--config-file", str(file)])
    return conf


def test_an_account_is_needed(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="auth_type"):
        create(configured(tmp_path, ""))


def test_an_account_is_given_in_one_way_only(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="either"):
        create(configured(tmp_path, f"{KEYSTONE}\ncloud = mine"))


def test_an_unknown_way_to_authenticate_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="by_smile"):
        create(configured(tmp_path, "auth_type = by_smile"))


def test_what_the_way_to_authenticate_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="auth_url"):
        create(configured(tmp_path, "auth_type = password"))


def test_an_unknown_cloud_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clouds.yaml").write_text("clouds: {}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with pytest.raises(CloudError, match="nowhere"):
        create(configured(tmp_path, "cloud = nowhere"))


def test_a_cloud_that_does_not_answer_may_answer_later(tmp_path: Path) -> None:
    async def ask() -> None:
        cloud = create(configured(tmp_path, KEYSTONE))
        try:
            with pytest.raises(CloudUnavailable, match=r"127\.0\.0\.1:1"):
                await cloud.inventory()
        finally:
            await cloud.close()

    asyncio.run(ask())


def test_a_cloud_that_accepts_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    async def ask(port: int) -> None:
        account = KEYSTONE.replace("127.0.0.1:1/", f"127.0.0.1:{port}/")
        cloud = create(configured(tmp_path, f"{account}\ntimeout = 0.1"))
        try:
            async with asyncio.timeout(10):
                with pytest.raises(CloudUnavailable, match="timed out"):
                    await cloud.disable_host("h", "why")
        finally:
            await cloud.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(ask(silent.getsockname()[1]))


def test_every_option_is_documented() -> None:
    [(group, opts)] = list_opts()
    assert group == GROUP
    names = [opt.dest for opt in opts]
    assert len(names) == len(set(names))
    assert {"cloud", "auth_type", "application_credential_id", "timeout", "workers"} <= set(names)
    assert all(opt.help for opt in opts)
