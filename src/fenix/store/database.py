"""The one seam to the database: a unit of work is a plain function over a connection.

It runs inline for SQLite (fast and deterministic: the embedded default and the simulation) and
in a worker thread for MariaDB and PostgreSQL, which answer over a network (design, "Decisions").
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from fenix.store import galera
from fenix.store.errors import Attempt, DatabaseUnavailable, translated
from fenix.threads import Threads

__all__ = ["CONNECT_SECONDS", "Database", "DatabaseUnavailable"]

T = TypeVar("T")

THREADS = 8
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
IDLE_SECONDS = 5
"""How long a server waits for the next statement of a transaction: one of a process that was frozen
must not keep its leases locked for those who want to take them over."""

READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"
"""How SQLite begins. A writer takes the lock at once: upgrading a read lock can fail without
waiting."""

ALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""PostgreSQL's client has no time limit of its own: without these (in seconds, the last in ms) a
server whose machine is gone would hold each thread for as long as the kernel waits: even hours."""


class Database:
    """A database and how units of work reach it.

    Args:
        url: SQLAlchemy's URL; ``sqlite://`` is in memory.

    Attributes:
        engine: SQLAlchemy's; on SQLite its transactions are begun by the methods here alone.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine: Engine = _sqlite(self.url) if self.embedded else _server(self.url)
        self._threads = None if self.embedded else Threads(THREADS, thread_name_prefix="database")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs a unit of work that changes nothing.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return await self._run(self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs a unit of work in one transaction, committed when it returns.

        It is run again when the database gives the transaction up in favour of another one, or
        when the connection is lost before the commit; see `fenix.store.errors`.

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

    @contextmanager
    def connect(self, write: bool = False) -> Iterator[Connection]:
        """A connection, for code that blocks on purpose.

        Args:
            write: its transactions will change something.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with _connection(self.engine, write) as connection:
            yield connection

    @contextmanager
    def connect_patiently(self) -> Iterator[Connection]:
        """A connection to change the schema with: its statements may take any time.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        engine = self.engine if self.embedded else _server(self.url, patient=True)
        try:
            with _connection(engine, write=True) as connection:
                yield connection
        finally:
            if engine is not self.engine:
                engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        def once(connection: Connection, _attempt: Attempt) -> T:
            _begin(connection, READING)
            return work(connection)

        return self._repeatedly(once)

    def _write(self, work: Callable[[Connection], T]) -> T:
        def once(connection: Connection, attempt: Attempt) -> T:
            with connection.begin():
                _begin(connection, WRITING)
                result = work(connection)
                attempt.committing = True
            return result

        return self._repeatedly(once)

    def _repeatedly(self, work: Callable[[Connection, Attempt], T]) -> T:
        attempt = Attempt()
        while True:
            try:
                with self.engine.connect() as connection:
                    return work(connection, attempt)
            except DBAPIError as error:
                if not attempt.repeatable(error):
                    raise translated(error) from error
            time.sleep(attempt.pause())


def _begin(connection: Connection, how: str) -> None:
    """Begins what Python's driver for SQLite would begin too late; servers begin by themselves."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(how)


@contextmanager
def _connection(engine: Engine, write: bool) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        # Of its own: with a listener on the engine each statement of all others would cost more.
        engine = engine.execution_options()
        how = WRITING if write else READING
        event.listen(engine, "begin", lambda connection: _begin(connection, how))
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise translated(error) from error


def _server(url: URL, patient: bool = False) -> Engine:
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if url.get_backend_name() in ("mysql", "mariadb"):
        if not patient:
            arguments |= {"read_timeout": STATEMENT_SECONDS, "write_timeout": STATEMENT_SECONDS}
    else:
        arguments |= ALIVE
    if url.get_backend_name() == "postgresql" and not patient:
        given = url.query.get("options", "")
        limits = {
            "statement_timeout": STATEMENT_SECONDS,
            "idle_in_transaction_session_timeout": IDLE_SECONDS,
        }
        words = [f"-c {name}={seconds * 1000}" for name, seconds in limits.items()]
        arguments["options"] = f"{given} {' '.join(words)}".strip()
    engine = create_engine(
        url,
        pool_size=THREADS,
        pool_pre_ping=True,
        pool_recycle=600,
        isolation_level="READ COMMITTED",
        connect_args=arguments,
    )
    if url.get_backend_name() in ("mysql", "mariadb"):
        galera.prepare(engine, 0 if patient else IDLE_SECONDS)
    else:
        event.listen(engine, "do_executemany", _one_by_one)
    return engine


def _one_by_one(cursor: Any, statement: str, rows: Any, _context: object) -> bool:
    """Executes a statement for many rows.

    Psycopg's own way is a pipeline, and within one PostgreSQL has no limit on idle transactions: a
    process that is frozen in the middle would keep its locks for as long as it stays frozen.
    """
    for row in rows:
        cursor.execute(statement, row)
    return True


def _to_wal(connection: Any) -> None:
    """Has a file keep a write-ahead log; of two that do so at once neither waits by itself."""
    end = time.monotonic() + STATEMENT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def _sqlite(url: URL) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": STATEMENT_SECONDS},
        **({"poolclass": StaticPool} if in_memory else {}),
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Python's own transaction handling begins too late; see `_begin`.
        connection.isolation_level = None
        _to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
