"""Which troubles of a database pass, and which of them a transaction is simply tried again after.

Servers end transactions that can't go on side by side. Galera certifies each one at its commit: of
two that have changed the same row on different nodes, the later one fails there, with the error of
a deadlock (Galera Cluster documentation, "Certification-Based Replication").
"""

import random
import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

TRIES = 20
"""How often a transaction is begun that the database gives up each time."""
PAUSE = 0.01
"""Seconds: the longest pause before the second try; it grows with the number of tries."""

WRONG_ON_MARIADB = frozenset({1050, 1054, 1060, 1061, 1091, 4025})
"""Tables, columns and keys that exist or do not, and violated checks."""
GIVEN_UP_BY_MARIADB = frozenset({1213, 1020})
"""Deadlock or failed certification; a record that has changed since it was read."""
GIVEN_UP_BY_POSTGRESQL = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock (PostgreSQL documentation, appendix "Error Codes")."""


class DatabaseUnavailable(Exception):
    """The database does not answer, or gave up a transaction; the same call may work later."""


@dataclass(slots=True)
class Attempt:
    """The tries of one unit of work.

    Attributes:
        committing: nobody can tell any more, after a lost connection, whether it was written.
        tries: how many have failed.
    """

    committing: bool = False
    tries: int = 0

    def repeatable(self, error: DBAPIError) -> bool:
        """Whether there should be another try after this error."""
        self.tries += 1
        committing, self.committing = self.committing, False
        if _given_up(error.orig):
            return self.tries < TRIES
        # Once: a server that was restarted, or a proxy that has gone over to another one.
        return error.connection_invalidated and not committing and self.tries == 1

    def pause(self) -> float:
        """Seconds until the next try; random, so that those who collided part."""
        return random.uniform(0, PAUSE * self.tries)


def translated(error: DBAPIError) -> Exception:
    """`DatabaseUnavailable` if the database is to blame, else the error itself."""
    operational = isinstance(error, OperationalError | InterfaceError) and not _wrong(error.orig)
    if operational or error.connection_invalidated:
        return DatabaseUnavailable(str(error.orig))
    return error


def _wrong(error: BaseException | None) -> bool:
    """Whether a statement is wrong, so that it will fail again, though its driver's error is one
    for the database's troubles."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return _number(error) in WRONG_ON_MARIADB


def _given_up(error: BaseException | None) -> bool:
    return (
        _number(error) in GIVEN_UP_BY_MARIADB
        or getattr(error, "sqlstate", None) in GIVEN_UP_BY_POSTGRESQL
    )


def _number(error: BaseException | None) -> object:
    return error.args[0] if error and error.args else None
