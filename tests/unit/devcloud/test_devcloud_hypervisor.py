"""The file that a fake hypervisor obeys never holds what it would not understand."""

from pathlib import Path
from typing import Any

import pytest
from devcloud import hypervisor
from devcloud.console import DevcloudError
from devcloud.settings import HostSize, Settings

HOST = "compute-1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(root=tmp_path)
    settings.compute_state(HOST).mkdir(parents=True)
    hypervisor.set_size(HOST, HostSize(4, 8192, 400), settings)
    return settings


def test_changes_add_up_and_reset_keeps_the_size(settings: Settings) -> None:
    hypervisor.behave(HOST, settings=settings, live_migration_s=1.5)
    hypervisor.behave(HOST, settings=settings, fail=["spawn"], vcpus=2)
    now = hypervisor.read(HOST, settings=settings)
    assert (now["live_migration_s"], now["fail"], now["vcpus"]) == (1.5, ["spawn"], 2)
    hypervisor.reset(HOST, settings=settings)
    now = hypervisor.read(HOST, settings=settings)
    assert (now["live_migration_s"], now["fail"], now["vcpus"]) == (0, [], 2)


def test_a_new_size_keeps_the_behaviour(settings: Settings) -> None:
    hypervisor.behave(HOST, settings=settings, spawn_s=3)
    hypervisor.set_size(HOST, HostSize(8, 1, 1), settings)
    assert hypervisor.size(HOST, settings) == HostSize(8, 1, 1)
    assert hypervisor.read(HOST, settings=settings)["spawn_s"] == 3


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"fail": ["live_migrate"]}, "live_migrate unknown; choose from check_can"),
        ({"fail": "spawn"}, "must be a list"),
        ({"live_migration_s": -1}, "number of seconds"),
        ({"live_migration_s": "1"}, "number of seconds"),
        ({"vcpus": 0}, "at least 1"),
        ({"delay_s": 1}, "delay_s: unknown; choose from spawn_s"),
    ],
)
def test_nonsense_is_refused_and_nothing_changes(
    settings: Settings, change: dict[str, Any], complaint: str
) -> None:
    before = hypervisor.read(HOST, settings=settings)
    with pytest.raises(DevcloudError, match=complaint):
        hypervisor.behave(HOST, settings=settings, **change)
    assert hypervisor.read(HOST, settings=settings) == before


def test_a_host_that_never_was_is_an_error(settings: Settings) -> None:
    assert hypervisor.size("compute-9", settings) is None
    with pytest.raises(DevcloudError, match="compute-9"):
        hypervisor.reset("compute-9", settings=settings)
