"""Brings a database's schema to the revision that this release works with.

The steps are in the package (`fenix.store.migrations`), so an installed Fenix needs no other file.
Any number of processes may do it at the same moment, on any nodes of a Galera cluster: one works,
the others wait and then find nothing to do.

A developer writes a new step after a change of `fenix.store.tables`::

    python -c 'from fenix.store import migrate; print(migrate.draft("Add hosts.rack"))'
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from fenix.domain import FenixError
from fenix.store import galera
from fenix.store.database import Database, DatabaseUnavailable

LOCATION = "fenix.store:migrations"
"""Where the steps are: a package and a directory in it, or a path."""
LOCK_SECONDS = 60
"""How long to wait for another process that changes the schema, or for a table in use."""

_LOCK_NAME = "fenix-schema"
_LOCK_KEY = 0x66656E6978


class SchemaMismatch(FenixError):
    """The schema is not the one that this release works with."""

    code = 503
    title = "Wrong schema"


@cache
def head() -> str:
    """The revision that this release works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError(f"{LOCATION} holds no revisions")
    return revision


def current(database: Database) -> str | None:
    """The revision of a database's schema; None when there is none.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    with database.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(database: Database) -> None:
    """Does nothing if the schema is the one that this release works with.

    Raises:
        SchemaMismatch: it is another one; the text says what to do.
        DatabaseUnavailable: the database does not answer.
    """
    found, wanted = current(database), head()
    if found == wanted:
        return
    if found is None:
        raise SchemaMismatch('the database has no schema yet: run "fenix db upgrade"')
    try:
        ScriptDirectory.from_config(_config()).get_revision(found)
    except CommandError as error:
        raise _unknown(found) from error
    raise SchemaMismatch(
        f'the database is at revision {found}, not at {wanted}: run "fenix db upgrade"'
    )


def upgrade(database: Database, revision: str = "head") -> None:
    """Takes the schema up to a revision; nothing happens if it is there.

    Args:
        revision: its name, or "head" for that of this release.

    Raises:
        SchemaMismatch: there is no such revision, or the database is at an unknown one.
        DatabaseUnavailable: the database does not answer, or another process changes its schema
            for longer than `LOCK_SECONDS`.
    """
    with _ready(database) as config:
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    """Takes the schema down to a revision; what does not fit into that is lost.

    Args:
        revision: its name, "-1" for one step, or "base" for an empty database.

    Raises:
        SchemaMismatch: there is no such revision, or the database is at an unknown one.
        DatabaseUnavailable: as for `upgrade`.
    """
    with _ready(database) as config:
        command.downgrade(config, revision)


def draft(message: str) -> Path:
    """Writes a file with the step from the newest revision to the tables as they are now.

    Returns:
        The file, to be read and corrected by its author.
    """
    database = Database("sqlite://")
    try:
        upgrade(database)
        with _ready(database) as config:
            made = command.revision(
                config, message, autogenerate=True, rev_id=f"{int(head()) + 1:04d}"
            )
    finally:
        database.close()
    if not isinstance(made, Script):
        raise RuntimeError(f"{LOCATION} has several branches")
    return Path(made.path)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", LOCATION.replace("%", "%%"))
    return config


@contextmanager
def _ready(database: Database) -> Iterator[Config]:
    """Alembic's configuration with a connection that nobody else changes the schema by."""
    config = _config()
    with database.connect_patiently() as connection, _alone(connection):
        config.attributes["connection"] = connection
        try:
            yield config
        except CommandError as error:
            found = MigrationContext.configure(connection).get_current_revision()
            known = {script.revision for script in _scripts(config)}
            if found is not None and found not in known:
                raise _unknown(found) from error
            raise SchemaMismatch(str(error)) from error


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keeps other processes from changing the schema; the lock ends with the connection."""
    backend = connection.engine.url.get_backend_name()
    if backend in ("mysql", "mariadb"):
        # DDL commits here, so that the lock must not depend on a transaction.
        connection.execute(text("SET SESSION lock_wait_timeout = :s"), {"s": LOCK_SECONDS})
        if galera.present(connection):
            with galera.changing_schema(connection, LOCK_SECONDS) as other:
                if other:
                    raise _busy(
                        f": {other}. If that process has died, repair the schema if it is half "
                        f"changed, then drop the table {galera.CHANGING}"
                    )
                yield
            return
        name = text("SELECT GET_LOCK(CONCAT(:name, '-', MD5(DATABASE())), :s)")
        if connection.scalar(name, {"name": _LOCK_NAME, "s": LOCK_SECONDS}) != 1:
            raise _busy()
        connection.commit()
        yield
        return
    with connection.begin():
        if backend == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            try:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            except OperationalError as error:
                raise _busy() from error
        yield


def _scripts(config: Config) -> list[Script]:
    return list(ScriptDirectory.from_config(config).walk_revisions())


def _busy(who: str = "") -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"waited {LOCK_SECONDS} s for another process that changes the database's schema{who}"
    )


def _unknown(revision: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"the database is at revision {revision}, which this release does not know: "
        "a newer release has changed it; use that release"
    )
