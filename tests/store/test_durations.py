"""How long things took in earlier sessions is read from what these have kept."""

from fenix.domain import MoveAction, MoveState
from fenix.store import Database, durations, progress, timeline
from tests.factories import at, make_entry, make_move
from tests.store.running import read, write_all


def test_moves_that_were_done_count(database: Database) -> None:
    live = {"action": MoveAction.LIVE_MIGRATE, "started_at": at(0), "state": MoveState.DONE}
    write_all(
        database,
        progress.save_move("one", make_move("a", **live, finished_at=at(7.5))),
        progress.save_move("two", make_move("a", **live, finished_at=at(9))),
        progress.save_move(
            "one", make_move("b", **live | {"state": MoveState.FAILED}, finished_at=at(1))
        ),
        progress.save_move(
            "one", make_move("c", **live | {"action": MoveAction.MIGRATE}, finished_at=at(60))
        ),
    )
    found = read(database, durations.of_moves)
    assert sorted(found[MoveAction.LIVE_MIGRATE]) == [7.5, 9]
    assert found[MoveAction.MIGRATE] == [60]


def test_work_counts_from_its_begin_until_the_host_is_back(database: Database) -> None:
    lines = [
        ("one", "host.in_maintenance", 0, "a"),
        ("one", "host.in_maintenance", 1, "b"),
        ("two", "host.in_maintenance", 2, "a"),
        ("one", "host.maintained", 30, "a"),
        ("one", "host.failed", 31, "b"),
        ("two", "host.maintained", 62, "a"),
    ]
    for session, what, seconds, host in lines:
        entry = make_entry(what, at=at(seconds), host=host)
        write_all(database, timeline.add(session, entry))
    assert read(database, durations.of_work) == [30, 60]
