"""The whole cloud: brings it from whatever state it is in to the one asked for."""

import shutil
import signal

from devcloud import apis, bootstrap, configuration, databases, golden, install, nova, rabbit
from devcloud.console import DevcloudError, say
from devcloud.processes import Processes
from devcloud.settings import Settings, compute_name
from devcloud.startup import SERVERS, Startup


class Cloud:
    """One devcloud. The caller holds its lock (devcloud.locking)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.processes = Processes(settings.pid, settings.log, settings.run)

    def ensure(self, computes: int) -> None:
        """Install, set up and start whatever is not; a cloud of other making is replaced."""
        install.debian_packages()
        if not install.is_current(self.settings.venv, install.LOCK):
            self.destroy()  # it runs from the environment that is about to be replaced
            install.virtual_environment(self.settings.venv, install.LOCK)
        if not golden.is_current(self.settings):
            self.build_golden()
        elif not golden.run_is_current(self.settings):
            say("the running cloud was made by other code: starting anew")
            self.destroy()
        self.up(computes)

    def up(self, computes: int) -> None:
        """Start what does not run, with at least that many computes of the size in the settings.

        A compute of another size, and one that is forced down, is started anew. More computes
        than asked for are left as they are.

        Raises:
            DevcloudError: there is no golden image, a port is taken, or something does not start.
        """
        if not self.settings.run.exists():
            if not golden.is_current(self.settings):
                raise DevcloudError("no golden image: run `python3 -m devcloud ensure`")
            golden.restore(self.settings)
        hosts = [compute_name(number) for number in range(1, computes + 1)]
        self._startup().everything(hosts)
        say(f"ready: {computes} computes")

    def build_golden(self) -> None:
        """Make the golden image anew; a running cloud ends."""
        if not install.is_current(self.settings.venv, install.LOCK):
            raise DevcloudError("nothing to make it with: run `python3 -m devcloud install`")
        self.destroy()
        golden.remove(self.settings)
        self._startup().everything([], first=True)
        bootstrap.create_base_data(self.settings)
        self.down()
        golden.save(self.settings)
        shutil.rmtree(self.settings.run)
        say(f"golden image in {self.settings.golden}")

    def down(self) -> None:
        """Stop everything; the databases and the servers in them are kept for the next `up`."""
        self._stop(signal.SIGTERM)
        say("down")

    def destroy(self) -> None:
        """Kill everything and forget the cloud; the golden image and the packages are kept."""
        self._stop(signal.SIGKILL)
        shutil.rmtree(self.settings.run, ignore_errors=True)

    def add_compute(self, number: int) -> None:
        """Start a compute, unless it runs with that size, and wait until it is up.

        Raises:
            DevcloudError: the cloud does not run, or the host does not come up.
        """
        self._require(nova.CONDUCTOR)
        host = compute_name(number)
        self._startup().computes([host])
        say(f"{host} is up")

    def kill_compute(self, number: int) -> None:
        """End a compute as a power cut would.

        Raises:
            DevcloudError: there never was that compute.
        """
        nova.kill_compute(self.processes, self._known(number))

    def stop_compute(self, number: int) -> None:
        """End a compute in an orderly way, which takes some ten seconds.

        Raises:
            DevcloudError: there never was that compute.
        """
        self.processes.stop(nova.compute_service(self._known(number)), grace=30)

    def restart_api(self, name: str) -> None:
        """Stop an API, write its configuration anew, start it and wait until it serves."""
        self._require(databases.SERVICE)
        self.processes.stop(apis.service_name(name))
        configuration.write_all(self.settings)
        apis.start(self.settings, self.processes, name)
        self._startup().wait_apis([name])

    def _startup(self) -> Startup:
        return Startup(self.settings, self.processes)

    def _known(self, number: int) -> str:
        host = compute_name(number)
        if not self.settings.compute_state(host).exists():
            raise DevcloudError(f"there is no {host}")
        return host

    def _require(self, service: str) -> None:
        if not self.processes.is_whole(service):
            raise DevcloudError(f"{service} does not run: start the cloud with `ensure` first")

    def _stop(self, signal_number: signal.Signals) -> None:
        """Clients first. RabbitMQ is always killed: its orderly stop is slow and saves nothing."""
        names = set(self.processes.names())
        self.processes.stop_all(names - SERVERS - {rabbit.EPMD}, signal_number, 5)
        if databases.SERVICE in names:
            self.processes.stop(databases.SERVICE, signal_number, 30)
        self.processes.stop_all(names & {rabbit.SERVICE, rabbit.EPMD}, signal.SIGKILL)
