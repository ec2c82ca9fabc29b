"""MariaDB, alone or as a Galera cluster, and PostgreSQL."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pymysql
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers.base import Server, free_port, needed

NAME = "fenix"


class DatabaseServer(Server):
    """A server with an empty database."""

    url: str
    first: str
    """The URL of a database that is there from the beginning."""
    probe = "SELECT 1"

    def ready(self) -> bool:
        """See `Server.ready`."""
        return self.ask(self.probe) is not None

    def create(self) -> None:
        """Makes the database."""
        with self._connection(self.first) as connection:
            connection.execute(text(f"CREATE DATABASE {NAME}"))

    def ask(self, statement: str) -> object:
        """The first value that a statement gives; None: no answer."""
        try:
            with self._connection(self.first) as connection:
                return connection.scalar(text(statement))
        except OperationalError:
            return None

    def run(self, statement: str) -> None:
        """Does something in the database, on a connection of its own."""
        with self.connect() as connection:
            connection.exec_driver_sql(statement)

    def url_of(self, account: str) -> str:
        """The database's URL with an account that needs no password."""
        return make_url(self.url).set(username=account).render_as_string()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection to the database that is in no transaction."""
        with self._connection(self.url) as connection:
            yield connection

    @contextmanager
    def _connection(self, url: str) -> Iterator[Connection]:
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args={"connect_timeout": 2},
        )
        with engine.connect() as connection:
            yield connection


class MariaDb(DatabaseServer):
    """MariaDB."""

    name = "mariadb"

    def __init__(self) -> None:
        self._program = needed("usr/sbin/mariadbd", "usr/libexec/mariadbd")
        super().__init__("mysql")
        self.port = free_port()
        self.first = f"mysql+pymysql://root@127.0.0.1:{self.port}/mysql"
        self.url = make_url(self.first).set(database=NAME).render_as_string()
        self._data = self.directory / "data"
        self.prepare(
            needed("usr/bin/mariadb-install-db"), "--no-defaults", f"--datadir={self._data}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        """See `Server.command`."""
        return [
            self._program, "--no-defaults", f"--datadir={self._data}", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--socket={self.directory}/socket",
            f"--pid-file={self.directory}/pid", "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--skip-name-resolve",
        ]  # fmt: skip


class GaleraNode(MariaDb):
    """A node of a cluster; the first one has nobody to join."""

    name = "galera"
    probe = (
        "SELECT 1 FROM information_schema.global_status "
        "WHERE variable_name = 'WSREP_LOCAL_STATE_COMMENT' AND variable_value = 'Synced'"
    )

    def __init__(self, first: "GaleraNode | None" = None) -> None:
        self._provider = needed("usr/lib*/galera*/libgalera_smm.so")
        super().__init__()
        self.group_port, self._transfer, self._increments = (free_port() for _ in range(3))
        self._address = f"gcomm://127.0.0.1:{first.group_port}" if first else "gcomm://"

    def command(self) -> Sequence[str]:
        """See `Server.command`."""
        here = "127.0.0.1"
        provider = (
            f"gmcast.listen_addr=tcp://{here}:{self.group_port};"
            f"ist.recv_addr={here}:{self._increments};gcache.size=16M"
        )
        return [
            *super().command(), "--wsrep-on=ON", f"--wsrep-provider={self._provider}",
            "--wsrep-cluster-name=fenix", f"--wsrep-cluster-address={self._address}",
            f"--wsrep-node-address={here}", f"--wsrep-provider-options={provider}",
            "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address={here}:{self._transfer}",
            "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
        ]  # fmt: skip

    def isolate(self, alone: bool) -> None:
        """Cuts it off from the others, or joins them again."""
        # SQLAlchemy would first ask what a node that is alone does not answer.
        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            connection.cursor().execute(
                f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={alone:d}'"
            )


class PostgreSql(DatabaseServer):
    """PostgreSQL."""

    name = "postgresql"
    ending = signal.SIGINT

    def __init__(self) -> None:
        self._program = needed("usr/lib/postgresql/*/bin/postgres", "usr/pgsql-*/bin/postgres")
        super().__init__("postgres")
        self.port = free_port()
        self.first = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"
        self.url = make_url(self.first).set(database=NAME).render_as_string()
        self._data = self.directory / "data"
        self.prepare(
            str(Path(self._program).with_name("initdb")), "-D", str(self._data), "-U", "postgres",
            "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        """See `Server.command`."""
        return [
            self._program, "-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1",
            "-k", str(self.directory), "-c", "fsync=off",
        ]  # fmt: skip


KINDS: Mapping[str, type[DatabaseServer]] = {"mariadb": MariaDb, "postgresql": PostgreSql}


@contextmanager
def running(kind: str) -> Iterator[DatabaseServer]:
    """A started server with an empty database."""
    with ExitStack() as stack:
        server = KINDS[kind]()
        stack.callback(server.close)
        server.start()
        server.create()
        yield server


@contextmanager
def cluster() -> Iterator[tuple[GaleraNode, GaleraNode]]:
    """Two nodes, each with all of the same empty database."""
    with ExitStack() as stack:
        first = GaleraNode()
        stack.callback(first.close)
        first.start()
        second = GaleraNode(first)
        stack.callback(second.close)
        second.start()
        first.create()
        yield first, second
