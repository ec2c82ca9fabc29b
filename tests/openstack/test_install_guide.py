"""The install guide, carried out: its commands as they are written, against the real OpenStack."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from devcloud.settings import PASSWORD, Settings

from tests.openstack.deployment import ROOT, START, free_port
from tests.openstack.lab import Lab

pytestmark = pytest.mark.openstack

GUIDE = ROOT / "docs/howto/openstack.md"
CARRIED_OUT = (
    "Install", "Database", "Account and endpoint", "Configuration", "Start", "The first session",
)  # fmt: skip

SYSTEMCTL = """#!{python}
# Starts units as systemd would, without its restrictions.
import os, re, shlex, subprocess, sys
from pathlib import Path
units = Path({units!r})
assert sys.argv[1:3] == ["enable", "--now"], sys.argv
for name in sys.argv[3:]:
    text = (units / (name + ".service")).read_text()
    command = shlex.split(re.search(r"(?m)^ExecStart=(.*)$", text)[1])
    with open(units / (name + ".log"), "wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
    (units / (name + ".pid")).write_text(str(started.pid))
"""


def sections() -> dict[str, list[str]]:
    """The commands of each section; those that go over several lines are one."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^## ", GUIDE.read_text())[1:]:
        title = part.splitlines()[0]
        text = "\n".join(re.findall(r"(?ms)^```console\n(.*?)^```", part)).replace("\\\n", " ")
        found[title] = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    return found


class Site:
    """A machine on which the guide is carried out: below one folder instead of /opt and /etc."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self.settings = settings
        self.port = free_port()
        self.etc, self.units = folder / "etc", folder / "units"
        shims = folder / "shims"
        for each in (self.etc, self.units, shims, self.etc / "commands", folder / "state"):
            each.mkdir()
        self._shim(
            shims / "systemctl", SYSTEMCTL.format(python=sys.executable, units=str(self.units))
        )
        socket = settings.database_socket
        self._shim(shims / "mysql", f'#!/bin/sh\nexec mariadb --socket={socket} -uroot "$@"\n')
        self._shim(self.etc / "commands/upgrade-host", '#!/bin/sh\necho "upgrading $FENIX_HOST"\n')
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("OS_")
        } | {
            "OS_CLIENT_CONFIG_FILE": str(settings.clouds_yaml),
            "OS_CLOUD": "devcloud",
            "PATH": f"{shims}:{settings.venv / 'bin'}:{os.environ['PATH']}",
        }

    @staticmethod
    def _shim(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def local(self, text: str) -> str:
        """What is written for example.org, for here."""
        keystone = urlsplit(self.settings.auth_url).netloc
        values = {
            "/opt/fenix": str(self.folder / "opt"),
            "/etc/systemd/system": str(self.units),
            "/etc/fenix": str(self.etc),
            "/var/lib/fenix": str(self.folder / "state"),
            "fenix.example.org:12347": f"127.0.0.1:{self.port}",
            "port = 12347": f"port = {self.port}",
            "keystone.example.org:5000": keystone,
            "db.example.org": f"127.0.0.1:{self.settings.ports.database}",
            "rabbit://fenix:SECRET@rabbit.example.org:5672/": self.settings.transport_url,
            "SECRET": PASSWORD,
            "'2027-01-31 22:00:00'": "+10s",
        }
        for written, here in values.items():
            text = text.replace(written, here)
        return text

    def run(self, command: str, check: bool = True) -> str:
        """Carries a command out in the project's folder.

        Units are copied as they are; only their paths are changed.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.local(command)],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{self.logs()}"
        for unit in self.units.glob("*.service"):
            unit.write_text(self.local(unit.read_text()))
        return done.stdout

    def logs(self) -> str:
        """What the units say."""
        return "".join(
            f"\n{log.name}: {log.read_text()[-2000:]}" for log in self.units.glob("*.log")
        )

    def stop(self) -> None:
        """Ends the units."""
        for file in self.units.glob("*.pid"):
            os.kill(int(file.read_text()), signal.SIGTERM)


@pytest.fixture(scope="module")
def site(devcloud: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(devcloud, tmp_path_factory.mktemp("site"))
    try:
        yield site
    finally:
        site.stop()
        for command in (
            "openstack service delete fenix",
            "openstack user delete --domain Default fenix",
            "mysql -e 'DROP DATABASE fenix'",
            "mysql -e \"DROP USER fenix@'%'\"",
        ):
            site.run(command, check=False)


def test_the_guide_leads_to_a_first_session(site: Site, lab: Lab) -> None:
    commands = sections()
    (site.etc / "fenix.conf").write_text(
        site.local((ROOT / "docs/examples/openstack.conf").read_text())
    )
    for title in CARRIED_OUT[:-1]:
        assert commands[title], f"section {title!r} has no commands any more"
        for command in commands[title]:
            site.run(command)

    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{site.port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    deadline = time.monotonic() + START
    while not ready():
        assert time.monotonic() < deadline, site.logs()
        time.sleep(0.2)

    (first,) = commands["The first session"]
    said = site.run(first)
    assert "MAINTENANCE_DONE" in said
    listed = site.run("/opt/fenix/bin/fenix session list --json")
    assert listed.count("MAINTENANCE_DONE") == 1
    services = lab.compute.get("/os-services?binary=nova-compute").json()["services"]
    assert {one["status"] for one in services} == {"enabled"}

    other = free_port()
    served = subprocess.Popen(
        shlex.split(
            site.local(f"/opt/fenix/bin/uvicorn --factory fenix.service.asgi:create --port {other}")
        ),
        env=site.environment | {"FENIX_CONFIG_FILES": str(site.etc / "fenix.conf")},
    )
    try:
        token = site.run("openstack token issue -f value -c id").strip().splitlines()[-1]
        url = f"http://127.0.0.1:{other}/v1/maintenance"
        deadline = time.monotonic() + START
        while True:
            try:
                sessions = httpx.get(url, headers={"X-Auth-Token": token}, timeout=5)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "another ASGI server does not answer"
                time.sleep(0.2)
        assert sessions.status_code == 200
        assert len(sessions.json()["sessions"]) == 1
    finally:
        served.terminate()
        assert served.wait(30) in (0, -signal.SIGTERM)
