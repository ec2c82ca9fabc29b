"""Start what does not run, in the order in which one service needs another."""

import signal
from collections.abc import Iterable, Mapping, Sequence

from devcloud import apis, bootstrap, configuration, databases, hypervisor, nova, rabbit, readiness
from devcloud.console import DevcloudError, say
from devcloud.processes import Processes
from devcloud.rest import Administrator
from devcloud.settings import Settings
from devcloud.waiting import listens

SERVERS = frozenset({rabbit.SERVICE, databases.SERVICE})  # all else is a client of these two


class Startup:
    """One start of one devcloud, beginning now."""

    def __init__(self, settings: Settings, processes: Processes) -> None:
        self._settings = settings
        self._processes = processes
        self._administrator = Administrator(settings)
        self._since = readiness.timestamp()

    def everything(self, hosts: Sequence[str], *, first: bool = False) -> None:
        """Start all that does not run, with these hosts among it, and wait until it is ready.

        Args:
            hosts: the computes, of the size in the settings.
            first: there are no databases yet.

        Raises:
            DevcloudError: a port is taken, or something does not start.
        """
        settings, processes = self._settings, self._processes
        settings.make_folders()
        before = self._sweep()
        self._check_ports(before)
        if rabbit.SERVICE not in before:
            rabbit.start(settings, processes)  # the slowest: first
        configuration.write_all(settings)
        if nova.ZYGOTE not in before:
            nova.start_zygote(settings, processes)
        if databases.SERVICE not in before:
            if first:
                databases.initialise(settings)
            databases.start(settings, processes)
        if first:
            rabbit.wait(settings, processes)
            bootstrap.create_schemas(settings, processes)
        # Starting is a matter of CPU time: first what the computes wait for, whose first report
        # then takes some idle seconds, and the other APIs during these.
        needed = self._start_apis(nova.NEEDED_APIS)
        rabbit.wait(settings, processes)
        self.wait_apis(needed)
        nova.wait_zygote(settings, processes)
        control = [name for name in nova.CONTROL if name not in before]
        if control:
            nova.start_control(settings, processes, control)
        started = self._start_computes(hosts, before)
        self.wait_apis(self._start_apis(apis.APIS))
        self._wait_ready(hosts, {*control, *started})

    def computes(self, hosts: Sequence[str]) -> None:
        """Start computes of a cloud that runs and wait until they are ready."""
        self._wait_ready(hosts, self._start_computes(hosts, self._whole()))

    def wait_apis(self, names: Iterable[str]) -> None:
        """Wait until APIs that were started listen and are ready for many callers at once."""
        for name in names:
            apis.wait(self._settings, self._processes, name)
            self._administrator.greet(name)

    def _start_apis(self, names: Iterable[str]) -> list[str]:
        """Start those that do not run, which are returned."""
        stopped = [n for n in names if not self._processes.is_alive(apis.service_name(n))]
        for name in stopped:
            apis.start(self._settings, self._processes, name)
        return stopped

    def _start_computes(self, hosts: Sequence[str], running: set[str]) -> set[str]:
        """Start those that do not run as they should; returns the names of their services."""
        started: set[str] = set()
        forced_down: set[str] = set()
        if any(nova.compute_service(host) in running for host in hosts):
            self.wait_apis(self._start_apis(["nova"]))
            forced_down = readiness.forced_down(self._administrator)
        size = self._settings.size
        for host in hosts:
            service = nova.compute_service(host)
            fits = hypervisor.size(host, self._settings) == size
            if service in running and fits and host not in forced_down:
                continue
            if service in running:
                say(f"starting {host} anew: {'it is forced down' if fits else f'now {size}'}")
            nova.kill_compute(self._processes, host)
            nova.start_compute(self._settings, self._processes, host, size)
            started.add(service)
        return started

    def _wait_ready(self, hosts: Sequence[str], started: set[str]) -> None:
        wanted = dict.fromkeys(hosts, self._settings.size)
        expected = readiness.Expected(wanted, started, self._since)

        def check() -> None:
            for name in started:
                self._processes.check(name)

        readiness.wait(self._administrator, expected, check)
        for host in readiness.disabled_hosts(readiness.observe(self._administrator, ())):
            say(f"note: disabled and left so: {host}")

    def _whole(self) -> set[str]:
        return {name for name in self._processes.names() if self._processes.is_whole(name)}

    def _sweep(self) -> set[str]:
        """The services that run as they should; what is left of the others is killed.

        After the loss of the broker or the database their clients are started anew too: half a
        minute of reconnecting is worse.
        """
        whole = self._whole()
        self._processes.stop_all(set(self._processes.names()) - whole, signal.SIGKILL)
        if not whole >= SERVERS:
            clients = whole - SERVERS - {rabbit.EPMD}
            if clients:
                say("the database or the broker was lost: all that used it is stopped first")
            self._processes.stop_all(clients, signal.SIGKILL)
            whole -= clients
        return whole

    def _check_ports(self, running: set[str]) -> None:
        ports = self._settings.ports
        wanted: Mapping[str, int] = {
            databases.SERVICE: ports.database,
            rabbit.SERVICE: ports.rabbit,
            rabbit.EPMD: ports.epmd,
            **{apis.service_name(name): getattr(ports, name) for name in apis.APIS},
        }
        for name, port in wanted.items():
            if name not in running and listens(port):
                raise DevcloudError(
                    f"port {port}, meant for {name}, is taken by another program: is there a"
                    " devcloud with another DEVCLOUD_ROOT? DEVCLOUD_PORT_OFFSET keeps two apart"
                )
