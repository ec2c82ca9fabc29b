"""A MariaDB server of our own: throwaway data, so everything that makes it durable is off.

It runs as whoever runs the driver, with its data below `run`, and listens on 127.0.0.1 only.
"""

import getpass
from collections.abc import Sequence

from devcloud.commands import run
from devcloud.install import MARIADBD
from devcloud.processes import Processes
from devcloud.settings import PASSWORD, Settings, database_user

SERVICE = "mariadbd"
DATABASES = ("keystone", "placement", "glance", "neutron", "nova_api", "nova_cell0", "nova_cell1")

_FAST = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=64M",
    "--performance-schema=OFF",
)


def initialise(settings: Settings) -> None:
    """Make an empty data folder."""
    settings.database_data.mkdir(parents=True)
    run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={settings.database_data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ],
        log=settings.log / "setup.log",
    )


def start(settings: Settings, processes: Processes) -> None:
    """Start the server on its data and wait until it listens."""
    data = settings.database_data
    processes.spawn(
        SERVICE,
        [
            MARIADBD,
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={data}",
            f"--socket={settings.database_socket}",
            f"--port={settings.ports.database}",
            "--bind-address=127.0.0.1",
            f"--pid-file={data}/mariadbd.pid",
            "--max-connections=1000",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            *_FAST,
        ],
    )
    processes.wait_port(SERVICE, settings.ports.database)


def create(settings: Settings, names: Sequence[str]) -> None:
    """Create databases, each with its user, unless they exist."""
    statements = []
    for name in names:
        user = f"'{database_user(name)}'@'127.0.0.1'"
        statements += [
            f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4;",
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{PASSWORD}';",
            f"GRANT ALL ON {name}.* TO {user};",
        ]
    _execute(settings, "\n".join(statements))


def drop(settings: Settings, name: str) -> None:
    _execute(settings, f"DROP DATABASE IF EXISTS {name};")


def _execute(settings: Settings, sql: str) -> None:
    run(
        ["mariadb", "--no-defaults", "--user=root", f"--socket={settings.database_socket}"],
        log=settings.log / "setup.log",
        stdin=sql,
    )
