"""RabbitMQ for tests: a way to it that can be cut, and a channel with a topic of its own."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import kombu
import pytest
from oslo_config import cfg

from fenix.messaging.bus import GROUP, OPTS, BusChannel, create

RABBIT = os.environ.get("FENIX_TEST_RABBIT", "amqp://guest:guest@127.0.0.1:5672/")
OSLO = "oslo_messaging_notifications"


class Gateway:
    """A port that leads to RabbitMQ, and can be cut, closed and blocked like RabbitMQ itself."""

    def __init__(self, host: str, port: int) -> None:
        self._inside = (host, port)
        self._sockets: list[socket.socket] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self.port = 0
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Ends all connections."""
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._sockets.clear()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Connections stay, and nothing passes."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                outer, _ = listener.accept()
                inner = socket.create_connection(self._inside)
                self._sockets += [outer, inner]
                for ends in ((outer, inner), (inner, outer)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def channel(topic: str, port: int | None = None, timeout: float = 30) -> BusChannel:
    """A channel as an operator configures it, with a topic and an exchange of its own."""
    where = kombu.utils.url.parse_url(RABBIT)
    host = f"127.0.0.1:{port}" if port else f"{where['hostname']}:{where['port'] or 5672}"
    user = f"{where['userid']}:{where['password']}"
    conf = cfg.ConfigOpts()
    conf([])
    conf.register_opts(OPTS, GROUP)
    conf.set_override("timeout", timeout, GROUP)
    create(conf)  # registers oslo.messaging's options
    conf.set_override("transport_url", f"rabbit://{user}@{host}/{where['virtual_host'] or ''}")
    conf.set_override("control_exchange", topic)
    conf.set_override("topics", [topic], OSLO)
    return create(conf)


def received(broker: kombu.Connection, topic: str) -> list[kombu.Message]:
    """All that is in the queue, at once."""
    found = []
    while (got := broker.default_channel.basic_get(f"{topic}.info", no_ack=True)) is not None:
        found.append(broker.default_channel.message_to_python(got))
    return found


lets_sockets_go = pytest.mark.filterwarnings(
    # py-amqp leaves the socket of a broken connection to the garbage collector.
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)
