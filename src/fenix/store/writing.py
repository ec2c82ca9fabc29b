"""Puts the rows of many writes together: one statement for all rows of a kind in a transaction.

What a database and its driver cost for each statement is far more than for each row.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
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


Lookup = Callable[[Connection, Collection[str]], Mapping[str, Any]]
"""Reads what belongs to each of some keys, at once."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A write that consists of rows.

    Attributes:
        find: gives them, of what belongs to `key`.
        lookup: reads that, once for all of a transaction, which must not write it; None: nothing
            has to be read.
    """

    find: Callable[[Any], Iterable[Row]]
    lookup: Lookup | None = None
    key: str = ""

    def __call__(self, connection: Connection) -> None:
        """Writes them alone."""
        write_all(connection, [self])


def rows(*found: Row) -> Rows:
    """A write of rows that are known beforehand."""
    return Rows(lambda _: found)


def write_all(connection: Connection, writes: Collection[Write]) -> None:
    """Does all writes in few statements; rows for one statement keep their order."""
    read = _look_up(connection, writes)
    together: dict[Statement, list[dict[str, Any]]] = {}
    for write in writes:
        if isinstance(write, Rows):
            found = read[write.lookup][write.key] if write.lookup else None
            for row in write.find(found):
                together.setdefault(row.statement, []).append(row.values)
        else:
            _execute(connection, together)
            write(connection)
    _execute(connection, together)


def _look_up(
    connection: Connection, writes: Collection[Write]
) -> Mapping[Lookup, Mapping[str, Any]]:
    keys: dict[Lookup, set[str]] = {}
    for write in writes:
        if isinstance(write, Rows) and write.lookup:
            keys.setdefault(write.lookup, set()).add(write.key)
    return {lookup: lookup(connection, wanted) for lookup, wanted in keys.items()}


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
