"""nova-scheduler, nova-conductor and the nova-computes, all forked from one process.

Importing Nova takes seconds of CPU time, and there are as many copies of it as there are computes.
So one process, the zygote (inside/zygote.py), imports it once; each service is a fork of it, which
starts at once and shares most of its memory.
"""

import json
import signal
import socket
from collections.abc import Sequence

from devcloud import hypervisor
from devcloud.configuration.nova import write_compute
from devcloud.console import DevcloudError, say
from devcloud.processes import Processes
from devcloud.settings import INSIDE, HostSize, Settings
from devcloud.waiting import wait_until

ZYGOTE = "zygote"
SCHEDULER = "nova-scheduler"
CONDUCTOR = "nova-conductor"
CONTROL = (SCHEDULER, CONDUCTOR)
NEEDED_APIS = ("keystone", "placement")  # CONTROL ends at once if it cannot reach them


def compute_service(host: str) -> str:
    """The name of the service that is the nova-compute of a host."""
    return f"nova-{host}"


def start_zygote(settings: Settings, processes: Processes) -> None:
    """Start the process that the others are forked from; it takes seconds to be ready."""
    settings.zygote_socket.unlink(missing_ok=True)
    processes.spawn(
        ZYGOTE,
        [
            settings.venv / "bin/python",
            INSIDE / "zygote.py",
            settings.zygote_socket,
            settings.etc / "nova/nova.conf",
        ],
    )


def wait_zygote(settings: Settings, processes: Processes) -> None:
    def ready() -> bool:
        processes.check(ZYGOTE)
        return settings.zygote_socket.exists()

    if not ready():
        wait_until(ready, "the zygote to import Nova", 90)
        say("zygote is ready")


def start_control(settings: Settings, processes: Processes, names: Sequence[str]) -> None:
    """Start the scheduler and the conductor, or one of them, until the conductor serves.

    NEEDED_APIS must listen before. A compute that asks the conductor before it consumes its queue
    asks again only after 10 s; so this waits for the conductor.
    """
    log = settings.log / f"{CONDUCTOR}.log"
    before = log.stat().st_size if log.exists() else 0
    for name in names:
        _fork(
            settings,
            processes,
            name,
            [
                f"--config-file={settings.etc}/nova/nova.conf",
                f"--config-file={settings.etc}/nova/nova-db.conf",
                f"--log-file={settings.log}/{name}.log",
            ],
        )
    if CONDUCTOR not in names:
        return

    def serving() -> bool:
        processes.check(CONDUCTOR)
        return log.exists() and b"Starting conductor node" in log.read_bytes()[before:]

    wait_until(serving, "nova-conductor to serve", 60)
    say("conductor serves")


def start_compute(settings: Settings, processes: Processes, host: str, size: HostSize) -> None:
    """Start the nova-compute of a host of that size; it reports some 5 s later."""
    write_compute(settings, host)
    hypervisor.set_size(host, size, settings)
    _fork(
        settings,
        processes,
        compute_service(host),
        [
            f"--config-file={settings.etc}/nova/nova.conf",
            f"--config-file={settings.etc}/nova/{host}.conf",
        ],
    )


def kill_compute(processes: Processes, host: str) -> None:
    """End a nova-compute as a power cut would."""
    processes.stop(compute_service(host), signal.SIGKILL)


def _fork(settings: Settings, processes: Processes, name: str, arguments: Sequence[str]) -> None:
    """Ask the zygote for a service. It answers once the fork leads a session of its own."""
    binary = name if name in CONTROL else "nova-compute"
    request = {"argv": [binary, *arguments], "output": str(processes.output_of(name))}
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(settings.zygote_socket))
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile().read()
    except OSError as error:
        raise DevcloudError(f"cannot fork {name}: the zygote does not answer ({error})") from None
    if not answer:
        raise DevcloudError(f"cannot fork {name}:\n{processes.last_words(ZYGOTE)}")
    processes.adopt(name, int(answer))
