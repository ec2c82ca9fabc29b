"""What many writes of a transaction have to read is read at once."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, insert

from fenix.store import Database, Row, Rows, timeline
from fenix.store import tables as t
from fenix.store.writing import same, write_all
from tests.factories import at
from tests.store.running import read, write

_INSERT = same(insert(t.timeline))


def test_what_belongs_to_all_keys_is_looked_up_once_in_each_transaction(
    database: Database,
) -> None:
    asked: list[set[str]] = []

    def lookup(_connection: Connection, keys: Collection[str]) -> Mapping[str, str]:
        asked.append(set(keys))
        return {key: key.upper() for key in keys}

    def line(what: str) -> Rows:
        def find(found: str) -> Iterator[Row]:
            values = {"session_id": "s", "at": at(), "who": found, "what": what, "why": ""}
            yield Row(_INSERT, values)

        return Rows(find, lookup, what)

    def barrier(_connection: Connection) -> None:
        """No rows: what comes before it is written before it."""

    writes = [line("a"), line("b"), barrier, line("a")]
    write(database, lambda connection: write_all(connection, writes))
    write(database, line("c"))
    assert asked == [{"a", "b"}, {"c"}]
    lines = read(database, lambda c: timeline.list_entries(c, "s"))
    assert [(one.what, one.who) for _, one in lines] == [
        ("a", "A"),
        ("b", "B"),
        ("a", "A"),
        ("c", "C"),
    ]
