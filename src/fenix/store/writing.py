"""Puts the rows of many writes together: one statement for all rows of a kind in a transaction.

What a database and its driver cost for each statement is far more than for each row.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite

Write = Callable[[Connection], None]
"""One change; several are put together in one transaction."""

Statement = Callable[[str], Executable]
"""Makes the statement for a dialect."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row for a statement. As part of a write, it may be written together with later rows for
    the same statement, and so before rows for other ones: it must not depend on those."""

    statement: Statement
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A write that consists of rows.

    Attributes:
        find: gives them; what it reads must not be written by the same transaction.
    """

    find: Callable[[Connection], Iterable[Row]]

    def __call__(self, connection: Connection) -> None:
        """Writes them alone."""
        write_all(connection, [self])


def rows(*found: Row) -> Rows:
    """A write of rows that are known beforehand."""
    return Rows(lambda _: found)


def write_all(connection: Connection, writes: Iterable[Write]) -> None:
    """Does all writes in few statements; rows for one statement keep their order."""
    together: dict[Statement, list[dict[str, Any]]] = {}
    for write in writes:
        if isinstance(write, Rows):
            for row in write.find(connection):
                together.setdefault(row.statement, []).append(row.values)
        else:
            _execute(connection, together)
            write(connection)
    _execute(connection, together)


def _execute(connection: Connection, together: dict[Statement, list[dict[str, Any]]]) -> None:
    dialect = connection.dialect.name
    for statement, values in together.items():
        connection.execute(statement(dialect), values)
    together.clear()


def same(statement: Executable) -> Statement:
    """A statement that is the same for all dialects."""
    return lambda _: statement


def upsert(table: Table) -> Statement:
    """Inserts a row, or replaces the one with the same primary key; all its columns are given.

    One statement, since two processes may write the same new thing at the same moment.
    """
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns if column.name not in keys]

    @cache
    def statement(dialect: str) -> Executable:
        if dialect in ("mysql", "mariadb"):
            new = mysql.insert(table)
            return new.on_duplicate_key_update({name: new.inserted[name] for name in names})
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        other = insert(table)
        return other.on_conflict_do_update(
            index_elements=keys, set_={name: other.excluded[name] for name in names}
        )

    return statement
