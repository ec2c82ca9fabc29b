"""A RabbitMQ node of our own, beside any other on the machine.

Name, ports, data, cookie and port mapper (epmd) are all set through the environment; the server is
started directly, since Debian's wrapper insists on another user. We start epmd ourselves, because
otherwise RabbitMQ would start one that nobody could stop by pid.
"""

from devcloud.install import RABBITMQ
from devcloud.processes import Processes
from devcloud.settings import Settings

SERVICE = "rabbitmq"
EPMD = "epmd"


def environment(settings: Settings) -> dict[str, str]:
    """What tells RabbitMQ's programs which node is meant."""
    state, etc = settings.run / "rabbit", settings.etc / "rabbit"
    return {
        "HOME": str(state),  # holds the Erlang cookie
        "RABBITMQ_NODENAME": "devcloud@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(settings.ports.rabbit),
        "RABBITMQ_DIST_PORT": str(settings.ports.rabbit_distribution),
        "RABBITMQ_MNESIA_BASE": str(state / "mnesia"),
        "RABBITMQ_LOG_BASE": str(settings.log),
        "RABBITMQ_PID_FILE": str(state / "pid"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(etc / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(etc / "enabled_plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(settings.ports.epmd),
    }


def start(settings: Settings, processes: Processes) -> None:
    """Start epmd and the node; it needs some 5 s until it listens, which `wait` waits for."""
    etc = settings.etc / "rabbit"
    etc.mkdir(parents=True, exist_ok=True)
    (settings.run / "rabbit").mkdir(parents=True, exist_ok=True)
    (etc / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = 127.0.0.1:{settings.ports.rabbit}\n"
        "disk_free_limit.absolute = 50MB\n"
        "vm_memory_high_watermark.absolute = 1GB\n"
    )
    (etc / "enabled_plugins").write_text("[].\n")
    if not processes.is_alive(EPMD):
        port = settings.ports.epmd
        processes.spawn(
            EPMD, ["epmd", "-address", "127.0.0.1", "-port", port], environment(settings)
        )
        processes.wait_port(EPMD, port)
    processes.spawn(SERVICE, [RABBITMQ], environment(settings))


def wait(settings: Settings, processes: Processes) -> None:
    processes.wait_port(SERVICE, settings.ports.rabbit)
