"""Brings devcloud up, hands out the driver and an operator, and tidies up after each test."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from textwrap import dedent

import pytest
from devcloud.settings import PASSWORD, Settings
from keystoneauth1.identity import V3Password
from keystoneauth1.session import Session
from oslo_config import cfg

from fenix.clouds.openstack import OpenStackCloud, create
from fenix.clouds.openstack.options import register
from tests.openstack.lab import HOSTS, Lab

ROOT = Path(__file__).resolve().parents[2]
VCPUS = 4  # of each host

ACCOUNT = f"""
auth_type = password
auth_url = {{auth_url}}
username = admin
password = {PASSWORD}
project_name = admin
user_domain_name = Default
project_domain_name = Default
"""

MakeConf = Callable[[str], cfg.ConfigOpts]
MakeCloud = Callable[[str], OpenStackCloud]


@pytest.fixture(scope="session")
def devcloud() -> Settings:
    """The running cloud: three hosts of four vCPUs."""
    command = ["-m", "devcloud", "ensure", str(len(HOSTS)), "--vcpus", str(VCPUS)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    if done.returncode:
        why = f"devcloud can't be had:\n{done.stdout[-2000:]}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    return Settings.from_environment(os.environ)


@pytest.fixture(scope="session")
def admin(devcloud: Settings) -> Iterator[Session]:
    session = Session(
        V3Password(
            auth_url=devcloud.auth_url,
            username="admin",
            password=PASSWORD,
            project_name="admin",
            user_domain_name="Default",
            project_domain_name="Default",
        )
    )
    yield session
    session.session.close()


@pytest.fixture
def lab(admin: Session) -> Iterator[Lab]:
    """An empty cloud, and the operator's hands."""
    lab = Lab(admin)
    lab.clean()
    yield lab
    lab.clean()


@pytest.fixture
def account(devcloud: Settings) -> str:
    """The administrator's account, as options of group ``[openstack]``."""
    return ACCOUNT.format(auth_url=devcloud.auth_url)


@pytest.fixture
def make_conf(tmp_path: Path) -> MakeConf:
    """Makes configurations from options of group ``[openstack]``."""
    numbers = count()

    def make(options: str) -> cfg.ConfigOpts:
        file = tmp_path / f"fenix-{next(numbers)}.conf"
        file.write_text(f"[openstack]\n{dedent(options)}")
        conf = cfg.ConfigOpts()
        conf(["--config-file", str(file)])
        register(conf)
        return conf

    return make


@pytest.fixture
def make_cloud(make_conf: MakeConf) -> Iterator[MakeCloud]:
    """Makes drivers from options of group ``[openstack]``, and closes them."""
    made: list[OpenStackCloud] = []

    def make(options: str) -> OpenStackCloud:
        made.append(create(make_conf(options)))
        return made[-1]

    yield make
    for cloud in made:
        asyncio.run(cloud.close())


@pytest.fixture
def cloud(make_cloud: MakeCloud, lab: Lab, account: str) -> OpenStackCloud:
    """The driver, looking often, since these hypervisors are quick."""
    return make_cloud(f"{account}\npoll_interval = 0.2")
