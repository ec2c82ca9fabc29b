"""Leases are taken, renewed and given back; the fence keeps out whoever has lost one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from fenix.store import (
    Database,
    EngineRow,
    Lease,
    LeaseLost,
    leases,
    migrate,
    progress,
    sessions,
    timeline,
)
from tests.factories import at, make_entry, make_host, make_session
from tests.store.running import leased, read, write


def take(database: Database, lease: Lease, owner: str) -> Lease | None:
    return write(database, lambda c: leases.take(c, lease, owner))


def opened(database: Database) -> list[Lease]:
    return list(read(database, leases.open_leases))


def created(database: Database, seconds: float = 0) -> Lease:
    session = make_session(created_at=at(seconds))
    write(database, lambda c: sessions.create(c, session))
    return Lease(session.id, None, 0, 0)


def test_a_free_lease_is_taken_once(database: Database) -> None:
    free = created(database)
    taken = take(database, free, "engine-1")
    assert taken == Lease(free.session_id, "engine-1", epoch=1, beat=1)
    assert opened(database) == [taken]
    assert take(database, free, "engine-2") is None
    assert opened(database) == [taken]


def test_a_lease_that_has_changed_since_it_was_seen_is_not_taken(database: Database) -> None:
    seen = take(database, created(database), "engine-1")
    assert seen
    for other in (
        replace(seen, owner=None),
        replace(seen, owner="Engine-1"),
        replace(seen, epoch=seen.epoch + 1),
        replace(seen, beat=seen.beat - 1),
        replace(seen, session_id="nobody"),
    ):
        assert take(database, other, "engine-2") is None
    assert write(database, lambda c: leases.renew(c, "engine-1"))
    assert take(database, seen, "engine-2") is None
    (renewed,) = opened(database)
    taken = take(database, renewed, "engine-2")
    assert taken == Lease(seen.session_id, "engine-2", renewed.epoch + 1, renewed.beat + 1)


def test_renewing_changes_the_beat_of_ones_own_leases_only(database: Database) -> None:
    first = take(database, created(database, 1), "engine-1")
    second = take(database, created(database, 2), "engine-1")
    others = take(database, created(database, 3), "ENGINE-1")
    free = created(database, 4)
    assert first
    assert second
    held = write(database, lambda c: leases.renew(c, "engine-1"))
    assert held == {(first.session_id, 1), (second.session_id, 1)}
    assert opened(database) == [replace(first, beat=2), replace(second, beat=2), others, free]
    assert write(database, lambda c: leases.renew(c, "engine-3")) == frozenset()


def test_a_released_lease_is_anybodys(database: Database) -> None:
    taken = take(database, created(database), "engine-1")
    assert taken
    write(database, lambda c: leases.release(c, taken))
    assert opened(database) == [replace(taken, owner=None)]
    again = take(database, opened(database)[0], "engine-2")
    assert again == Lease(taken.session_id, "engine-2", epoch=2, beat=2)


def test_a_lost_lease_is_not_released(database: Database) -> None:
    lost = take(database, created(database), "engine-1")
    assert lost
    taken = take(database, lost, "engine-2")
    write(database, lambda c: leases.release(c, lost))
    assert opened(database) == [taken]
    assert take(database, replace(opened(database)[0]), "engine-1")
    write(database, lambda c: leases.release(c, lost))
    assert opened(database)[0].owner == "engine-1"


def test_leases_of_open_sessions_oldest_first(database: Database) -> None:
    late, closed, early = created(database, 2), created(database, 0), created(database, 1)
    held = take(database, closed, "engine-1")
    assert write(database, lambda c: sessions.close(c, closed.session_id))
    assert opened(database) == [early, late]
    assert read(database, leases.all_leases) == [held]


def test_a_fenced_write_under_the_present_epoch_succeeds(database: Database) -> None:
    lease = leased(database, make_session())

    def work(connection: Connection) -> None:
        leases.fence(connection, lease)
        timeline.add(lease.session_id, make_entry())(connection)

    for count in (1, 2):
        write(database, work)
        found = read(database, lambda c: timeline.list_entries(c, lease.session_id))
        assert len(found) == count
    assert opened(database) == [lease]


@pytest.mark.parametrize("fence_first", [True, False])
def test_a_fenced_write_under_an_old_epoch_leaves_nothing(
    database: Database, fence_first: bool
) -> None:
    lost = leased(database, make_session())
    taken = take(database, lost, "engine-2")
    assert taken

    def work(connection: Connection, lease: Lease) -> None:
        if fence_first:
            leases.fence(connection, lease)
        timeline.add(lease.session_id, make_entry())(connection)
        progress.save_host(lease.session_id, make_host())(connection)
        leases.fence(connection, lease)

    for lease in (
        lost,
        replace(taken, owner="engine-1"),
        replace(taken, owner="ENGINE-2"),
        replace(taken, owner=None),
        replace(taken, epoch=taken.epoch + 1),
    ):
        with pytest.raises(LeaseLost, match=f"session {lease.session_id}: the lease of epoch"):
            write(database, lambda c, lease=lease: work(c, lease))
        assert read(database, lambda c: timeline.list_entries(c, lost.session_id)) == []
        assert read(database, lambda c: progress.list_hosts(c, lost.session_id)) == []
    write(database, lambda c: work(c, taken))
    assert read(database, lambda c: progress.list_hosts(c, lost.session_id)) == [make_host()]


def test_nobody_writes_under_a_released_lease(database: Database) -> None:
    lease = leased(database, make_session())
    write(database, lambda c: leases.release(c, lease))
    with pytest.raises(LeaseLost):
        write(database, lambda c: leases.fence(c, lease))


def engine(name: str) -> EngineRow:
    return EngineRow(name, "ä.example", 4711, "1.2.3", started_at=at(1), seen_at=at(2), beat=5)


def test_engines_come_back_by_id(database: Database) -> None:
    new = [engine("b"), engine("B"), engine("a")]
    for each in new:
        write(database, lambda c, each=each: leases.save_engine(c, each))
    assert read(database, leases.list_engines) == [engine("B"), engine("a"), engine("b")]


def test_an_engine_that_is_seen_again(database: Database) -> None:
    for each in (engine("a"), engine("b"), replace(engine("a"), seen_at=at(9), beat=6)):
        write(database, lambda c, each=each: leases.save_engine(c, each))
    assert read(database, leases.list_engines) == [
        replace(engine("a"), seen_at=at(9), beat=6),
        engine("b"),
    ]


def test_an_engine_that_leaves_gives_its_leases_back(database: Database) -> None:
    for each in (engine("engine-1"), engine("engine-2")):
        write(database, lambda c, each=each: leases.save_engine(c, each))
    ours, theirs = leased(database, make_session()), leased(database, make_session(), "engine-2")
    write(database, lambda c: leases.leave(c, "engine-1"))
    assert read(database, leases.list_engines) == [engine("engine-2")]
    assert read(database, leases.all_leases) == [theirs]
    assert replace(ours, owner=None) in opened(database)


def test_a_look_reads_no_action_that_is_over(tmp_path: Path) -> None:
    """Engines look all the time; SQLite tells how it would find the rows."""
    database = Database(f"sqlite:///{tmp_path}/fenix.db")
    migrate.upgrade(database)
    asked: list[tuple[str, tuple[object, ...]]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, sql: str, values: Any, *_rest: object) -> None:
        asked.append((sql, values))

    read(database, leases.look)
    ((sql, values),) = [one for one in asked if "action_runs" in one[0]]
    with database.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
    assert [row.detail for row in plan] == [
        "SEARCH action_runs USING INDEX ix_action_runs_state (state=?)"
    ]
    database.close()
