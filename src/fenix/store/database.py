"""The one seam to the database: a unit of work is a plain function over a connection.

It runs inline for SQLite (fast and deterministic: the embedded default and the simulation) and
in a worker thread for MariaDB and PostgreSQL, which answer over a network (design, "Decisions").
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import StaticPool

T = TypeVar("T")
Write = Callable[[Connection], None]
"""One change; several are put together in one transaction."""

THREADS = 8
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30


class DatabaseUnavailable(Exception):
    """The database does not answer, or gave up a transaction; the same call may work later."""


class Database:
    """A database and how units of work reach it.

    Args:
        url: SQLAlchemy's URL; ``sqlite://`` is in memory.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine: Engine = _sqlite(url) if self.embedded else _server(url)
        self._threads = (
            None if self.embedded else ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        )

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs a unit of work that changes nothing.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self._run(self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs a unit of work in one transaction, committed when it returns.

        Raises:
            DatabaseUnavailable: nothing was written, or the answer to the commit was lost.
        """
        return await self._run(self._write, work)

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(
        self, how: Callable[[Callable[[Connection], T]], T], work: Callable[[Connection], T]
    ) -> T:
        if self._threads is None:
            return how(work)
        return await asyncio.get_running_loop().run_in_executor(self._threads, how, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self.engine.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            raise _translated(error) from error

    def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            with (
                self.engine.connect().execution_options(fenix_write=True) as connection,
                connection.begin(),
            ):
                return work(connection)
        except DBAPIError as error:
            raise _translated(error) from error


def _translated(error: DBAPIError) -> Exception:
    transient = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    return DatabaseUnavailable(str(error.orig)) if transient else error


def _server(url: str) -> Engine:
    backend = make_url(url).get_backend_name()
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if backend in ("mysql", "mariadb"):
        arguments |= {"read_timeout": STATEMENT_SECONDS, "write_timeout": STATEMENT_SECONDS}
    else:
        arguments["options"] = f"-c statement_timeout={STATEMENT_SECONDS * 1000}"
    return create_engine(
        url,
        pool_size=THREADS,
        pool_pre_ping=True,
        pool_recycle=600,
        isolation_level="READ COMMITTED",
        connect_args=arguments,
    )


def _sqlite(url: str) -> Engine:
    in_memory = make_url(url).database in (None, "", ":memory:")
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": STATEMENT_SECONDS},
        **({"poolclass": StaticPool} if in_memory else {}),
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Python's own transaction handling begins too late; see `begin` below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read lock can fail without waiting.
        write = connection.get_execution_options().get("fenix_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
