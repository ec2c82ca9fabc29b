"""The schema of the configured database, for operators and at each start."""

from oslo_config import cfg

from fenix.service.errors import explained
from fenix.service.parts import open_database
from fenix.store import Database, DatabaseUnavailable, migrate
from fenix.store.migrate import SchemaMismatch

_EXPECTED = (DatabaseUnavailable, SchemaMismatch)


def ready(database: Database) -> None:
    """Makes sure that the schema is the one that this release works with.

    An embedded database belongs to one process alone, which therefore brings it up to date; on a
    server the operator says when.

    Raises:
        CannotStart: it is another one, or the database does not answer.
    """
    with explained(*_EXPECTED, what="database"):
        if database.embedded:
            migrate.upgrade(database)
        else:
            migrate.check(database)


def upgrade(conf: cfg.ConfigOpts, revision: str = "head") -> None:
    """Takes the schema up to a revision.

    Raises:
        CannotStart: there is no such revision, or the database does not answer.
    """
    database = open_database(conf)
    try:
        with explained(*_EXPECTED, what="database"):
            migrate.upgrade(database, revision)
    finally:
        database.close()


def current_revision(conf: cfg.ConfigOpts) -> str | None:
    """The revision of the schema; None when there is none.

    Raises:
        CannotStart: the database does not answer.
    """
    database = open_database(conf)
    try:
        with explained(*_EXPECTED, what="database"):
            return migrate.current(database)
    finally:
        database.close()


def newest_revision() -> str:
    """The revision that this release works with."""
    return migrate.head()
