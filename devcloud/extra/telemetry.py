"""Ceilometer's notification agent and Aodh: how application managers hear of maintenance.

A notification on the bus becomes an event, the event meets an alarm, the alarm is a POST to the
application manager. Both services run from one virtual environment of their own, beside a running
devcloud, and are stopped with it.
"""

import signal
from pathlib import Path

from devcloud import catalog, databases, install
from devcloud.commands import run
from devcloud.console import DevcloudError, say
from devcloud.extra import telemetry_configuration as configuration
from devcloud.processes import Processes
from devcloud.settings import INSIDE, Settings

_HERE = Path(__file__).resolve().parent
LOCK = _HERE / "telemetry.lock"
API = "aodh-api"
DAEMONS = {
    "ceilometer-agent-notification": configuration.ceilometer_file,
    "aodh-listener": configuration.aodh_file,
    "aodh-notifier": configuration.aodh_file,
}
SERVICES = (*DAEMONS, API)
_QUEUES = ("notifications.info", "alarm.all.sample", "alarming.sample")


class Telemetry:
    """The two services of one devcloud. The caller holds its lock."""

    def __init__(self, settings: Settings, processes: Processes) -> None:
        self.settings = settings
        self.processes = processes
        self.venv = settings.root / "venv-telemetry"

    def up(self) -> None:
        """Install, set up and start what is not; returns when the whole chain listens.

        Options (see telemetry_configuration) are only read by services that are started.

        Raises:
            DevcloudError: the cloud does not run, or something does not start.
        """
        if not self.processes.is_whole(databases.SERVICE):
            raise DevcloudError("the cloud does not run: start it with `ensure` first")
        if not install.is_current(self.venv, LOCK):
            self.down()
            install.virtual_environment(self.venv, LOCK)
        stopped = [name for name in SERVICES if not self.processes.is_whole(name)]
        if stopped:
            self._start(stopped)
        say(f"telemetry is up, Aodh at {self.settings.endpoint('aodh')}")

    def down(self) -> None:
        """Stop the services; alarms are kept."""
        self.processes.stop_all(SERVICES, signal.SIGTERM, 3)

    def drop(self) -> None:
        """Stop the services and forget the alarms and the catalog's entries."""
        self.down()
        if self.processes.is_whole(databases.SERVICE):
            databases.drop(self.settings, "aodh")
            catalog.unregister(self.settings, "alarming", "aodh")

    def status(self) -> bool:
        """Print a line for each service; returns True if all run."""
        runs = {name: self.processes.is_whole(name) for name in SERVICES}
        for name, whole in runs.items():
            print(f"{name:32} {'runs' if whole else 'does not run'}")
        return all(runs.values())

    def _start(self, names: list[str]) -> None:
        settings, processes = self.settings, self.processes
        configuration.write(settings, self.venv, configuration.Options.from_environment())
        databases.create(settings, ["aodh"])
        catalog.register(settings, {"alarming": ("aodh", settings.endpoint("aodh"))})
        aodh = configuration.aodh_file(settings)
        log = settings.log / "setup.log"
        run([self.venv / "bin/aodh-dbsync", f"--config-file={aodh}"], log=log)
        for name in names:
            processes.stop(name, signal.SIGKILL)  # what a dead leader may have left
            if name == API:
                processes.spawn(
                    API,
                    [
                        self.venv / "bin/python",
                        INSIDE / "wsgi_serve.py",
                        "aodh_wsgi",
                        settings.ports.aodh,
                        8,
                        f"--config-file={aodh}",
                    ],
                    {"PYTHONPATH": str(_HERE / "inside")},
                )
            else:
                program = self.venv / "bin" / name
                processes.spawn(name, [program, f"--config-file={DAEMONS[name](settings)}"])
        processes.wait_port(API, settings.ports.aodh)
        run(
            [
                self.venv / "bin/python",
                _HERE / "inside/wait_consumers.py",
                settings.transport_url.replace("rabbit:", "amqp:") + "/",
                30,
                *_QUEUES,
            ],
            log=log,
        )
