"""Scratch databases on real servers, made for a test session and dropped after it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

SERVERS = {
    "mariadb": ("FENIX_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/"),
    "postgresql": ("FENIX_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/"),
}

# Defaults unlike ours, so that what Fenix needs must come from its own tables and queries.
CREATE = {
    "mariadb": "CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    "postgresql": "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' "
    "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'",
}
DROP = {
    "mariadb": "DROP DATABASE {name}",
    "postgresql": "DROP DATABASE {name} WITH (FORCE)",
}


def server_url(kind: str) -> URL:
    """Where a server is, without the name of a database."""
    variable, default = SERVERS[kind]
    return make_url(os.environ.get(variable, default))


@contextmanager
def administration(kind: str) -> Iterator[Connection]:
    """A connection to a server that is in no transaction.

    Without a server the test is skipped; where CI is set to true, it fails.
    """
    engine = create_engine(
        server_url(kind), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5}
    )
    try:
        try:
            connection = engine.connect()
        except OperationalError as error:
            reason = f"no {kind} at {engine.url!r} (${SERVERS[kind][0]}): {error.orig}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        with connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def scratch(kind: str) -> Iterator[str]:
    """The URL of a new, empty database, which is dropped in the end."""
    name = f"fenix_test_{uuid4().hex[:12]}"
    with administration(kind) as connection:
        connection.execute(text(CREATE[kind].format(name=name)))
    try:
        yield server_url(kind).set(database=name).render_as_string(hide_password=False)
    finally:
        with administration(kind) as connection:
            connection.execute(text(DROP[kind].format(name=name)))


def connection_id(connection: Connection) -> int:
    """What a server calls a connection."""
    mysql = connection.dialect.name in ("mysql", "mariadb")
    call = "CONNECTION_ID()" if mysql else "pg_backend_pid()"
    found = connection.scalar(text(f"SELECT {call}"))
    assert isinstance(found, int)
    return found


def kill(kind: str, ident: int) -> Callable[[], bool]:
    """Makes a server end a connection.

    Returns:
        A function that tells whether the connection is gone.
    """
    if kind == "mariadb":
        ending, there = "KILL CONNECTION {}", "information_schema.processlist WHERE id = {}"
    else:
        ending, there = "SELECT pg_terminate_backend({})", "pg_stat_activity WHERE pid = {}"
    with administration(kind) as connection:
        connection.execute(text(ending.format(ident)))

    def gone() -> bool:
        with administration(kind) as connection:
            return not connection.scalar(text(f"SELECT COUNT(*) FROM {there.format(ident)}"))

    return gone
