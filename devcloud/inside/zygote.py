"""Import Nova once, then fork one process for each of its services.

usage: zygote.py SOCKET NOVA_CONF

Each connection to the socket asks for one service with a JSON object: `argv`, whose first word is
nova-scheduler, nova-conductor or nova-compute, and `output`, a file. The fork itself answers with
its pid, once it leads a session of its own.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

_SERVICES = {
    "nova-compute": "nova.cmd.compute",
    "nova-conductor": "nova.cmd.conductor",
    "nova-scheduler": "nova.cmd.scheduler",
}
_SHARED = (
    "nova.compute.manager",
    "nova.conductor.manager",
    "nova.scheduler.manager",
    "nova.virt.devfake",
    "nova.objects",
    "oslo_messaging._drivers.impl_rabbit",
    "pymysql",
    "keystoneauth1.identity",
    "openstack",
    "neutronclient.v2_0.client",
    "glanceclient.v2.client",
)


def preload(nova_conf):
    """Import everything that the services share."""
    importlib.import_module("nova.monkey_patch").patch(backend="threading")
    # Nova's managers read options at import (the spacing of periodic tasks), so the file is parsed
    # before; each service parses its own files again.
    conf = importlib.import_module("nova.conf").CONF
    conf(["--config-file", nova_conf], project="nova")
    # Nova loads drivers from its own package only: our folder becomes a part of that.
    virt = importlib.import_module("nova.virt")
    virt.__path__.append(str(Path(__file__).resolve().parent / "virt"))
    for module in (*_SERVICES.values(), *_SHARED):
        importlib.import_module(module)
    conf.clear()
    gc.collect()
    gc.freeze()  # so that the forks' garbage collections do not copy shared pages
    if threading.active_count() != 1:
        raise SystemExit(f"cannot fork safely with threads: {threading.enumerate()}")


def serve(path):
    """Fork for each request; returns, in the fork, the request and its connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the forks that end
    listener = socket.socket(socket.AF_UNIX)
    # Under another name until it listens: its existence tells that this process is ready.
    listener.bind(f"{path}.new")
    listener.listen(64)
    os.rename(f"{path}.new", path)
    while True:
        connection, _ = listener.accept()
        with connection:
            request = json.loads(connection.makefile().read())
            if os.fork() == 0:
                listener.close()
                return request, connection.dup()


def become(request, connection):
    """Turn this fork into the service."""
    os.setsid()
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection:
        connection.sendall(str(os.getpid()).encode())
    sys.argv = request["argv"]
    sys.modules[_SERVICES[sys.argv[0]]].main()


def main():
    preload(sys.argv[2])
    become(*serve(sys.argv[1]))


if __name__ == "__main__":
    main()
