"""What the environment says, and what it must not say."""

from pathlib import Path

import pytest
from devcloud.console import DevcloudError
from devcloud.settings import HostSize, Ports, Settings


def test_memory_and_disk_grow_with_the_vcpus_unless_given() -> None:
    environ = {"DEVCLOUD_VCPUS": "4", "DEVCLOUD_DISK_GB": "10"}
    assert Settings.from_environment(environ).size == HostSize(4, 8192, 10)


@pytest.mark.parametrize("text", ["0", "-1", "4.5", "many"])
def test_a_size_that_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(DevcloudError, match=f"DEVCLOUD_VCPUS={text}: must be a whole number"):
        Settings.from_environment({"DEVCLOUD_VCPUS": text})


def test_a_root_too_long_for_sockets_is_refused() -> None:
    with pytest.raises(DevcloudError, match="Unix sockets"):
        Settings.from_environment({"DEVCLOUD_ROOT": "/tmp/" + "x" * 80})


def test_two_devclouds_with_offsets_share_no_port() -> None:
    environ = {"DEVCLOUD_ROOT": "/tmp/second", "DEVCLOUD_PORT_OFFSET": "100"}
    second = Settings.from_environment(environ)
    assert second.auth_url == "http://127.0.0.1:15100/v3"
    ports = [set(vars(Ports().shifted(offset)).values()) for offset in range(0, 1000, 100)]
    assert len(set.union(*ports)) == sum(map(len, ports))


def test_a_database_is_reached_as_its_own_user() -> None:
    url = Settings(root=Path("/tmp/x")).database_url("nova_cell0")
    assert url.startswith("mysql+pymysql://nova:")
    assert "/nova_cell0?" in url
