"""RabbitMQ, with a port mapper of Erlang's for itself."""

import os
import subprocess
from collections.abc import Mapping, Sequence

import kombu
from kombu.exceptions import OperationalError

from tests.servers.base import Server, free_port, needed


class RabbitMq(Server):
    """RabbitMQ with its usual account, and no plug-ins."""

    name = "rabbitmq"

    def __init__(self) -> None:
        self._program = needed(
            "usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server", "usr/lib/rabbitmq/bin/rabbitmq-server"
        )
        super().__init__("rabbitmq")
        self.port = free_port()
        self._mapper, self._distribution = free_port(), free_port()
        where = f"//guest:guest@127.0.0.1:{self.port}/"
        self.url = f"amqp:{where}"
        self.transport_url = f"rabbit:{where}"
        """The same for oslo.messaging."""
        (self.directory / "plugins").write_text("[].\n")

    def command(self) -> Sequence[str]:
        """See `Server.command`."""
        return [self._program]

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        here = str(self.directory)
        return {
            "RABBITMQ_NODENAME": f"fenix-{os.getpid()}-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": here,
            "RABBITMQ_LOG_BASE": here,
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{here}/none",
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none",
        }

    def close(self) -> None:
        """See `Server.close`; the port mapper has left the server's group of processes."""
        super().close()
        subprocess.run(
            [needed("usr/bin/epmd"), "-port", str(self._mapper), "-relaxed_command_check", "-kill"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ready(self) -> bool:
        """See `Server.ready`."""
        try:
            with kombu.Connection(self.url, connect_timeout=2) as connection:
                connection.ensure_connection(max_retries=0, timeout=2)
        except (OperationalError, OSError):
            return False
        return True
