"""Databases in memory for simulations, one after the other in the same process.

Making the tables and preparing the statements anew would take as long as a short simulation. So
all of a process share one engine with its prepared statements, and the tables are copied.
"""

import sqlite3
from functools import cache
from typing import Any

from fenix.store import Database
from fenix.store.tables import create_tables


@cache
def _shared() -> Database:
    return Database("sqlite://")


@cache
def _template() -> sqlite3.Connection:
    database = Database("sqlite://")
    create_tables(database.engine)
    copy = sqlite3.connect(":memory:")
    _raw(database).backup(copy)
    database.close()
    return copy


def blank_database() -> Database:
    """A database with all tables and no rows; the one before it is gone."""
    database = _shared()
    _template().backup(_raw(database))
    return database


def _raw(database: Database) -> sqlite3.Connection:
    connection: Any = database.engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection
