"""The timeline keeps each line, in the order in which they were written."""

from fenix.store import Database, timeline
from tests.factories import at, make_entry
from tests.store.running import read, write_all

FULL = make_entry(
    "host.disabled",
    at=at(-1.000001),
    who="engine-ä",
    why="Kein Platz 🏨 " * 10_000,
    host="compute-1",
    instance="instance-1",
    project="project-1",
)


def test_every_field_comes_back_in_the_order_of_writing(database: Database) -> None:
    plain = make_entry()
    write_all(database, timeline.add("session-1", plain), timeline.add("session-1", FULL))
    write_all(database, timeline.add("session-2", plain))
    found = read(database, lambda c: timeline.list_entries(c, "session-1"))
    assert [entry for _, entry in found] == [plain, FULL]


def test_read_on_from_an_id(database: Database) -> None:
    lines = [make_entry(f"step.{number}") for number in range(5)]
    write_all(database, *(timeline.add("session-1", line) for line in lines))
    after, seen = 0, []
    while page := read(
        database, lambda c, after=after: timeline.list_entries(c, "session-1", after, limit=2)
    ):
        assert len(page) <= 2
        seen += [entry for _, entry in page]
        after = page[-1][0]
    assert seen == lines
