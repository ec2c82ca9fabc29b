"""What happens when a database is away, and when it comes back."""

import socket
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

import fenix.store.database
from fenix.store import (
    Database,
    DatabaseUnavailable,
    Lease,
    LeaseLost,
    leases,
    migrate,
    replies,
    timeline,
    write_all,
)
from tests.factories import make_entry, make_session
from tests.store.conftest import ON_SERVERS, Scratches
from tests.store.running import leased, read, wait_until, write
from tests.store.servers import connection_id, kill

Connect = Callable[[str], Database]
PASSWORD = "s3cr3t-p4ss"


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that is taken, so that nobody else listens there, but does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def assert_keeps_the_password(caught: pytest.ExceptionInfo[DatabaseUnavailable]) -> None:
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value)
    assert PASSWORD not in shown
    assert PASSWORD not in repr(caught.value)


@pytest.mark.parametrize("driver", ["mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg"])
def test_a_server_that_is_away(driver: str, dead_port: int, connect: Connect) -> None:
    database = connect(f"{driver}://fenix:{PASSWORD}@127.0.0.1:{dead_port}/fenix")
    with pytest.raises(DatabaseUnavailable) as caught:
        read(database, leases.open_leases)
    assert_keeps_the_password(caught)
    with pytest.raises(DatabaseUnavailable) as caught:
        write(database, timeline.add("session-1", make_entry()))
    assert_keeps_the_password(caught)
    for call in (migrate.current, migrate.check, migrate.upgrade):
        with pytest.raises(DatabaseUnavailable) as caught:
            call(database)
        assert_keeps_the_password(caught)
    assert PASSWORD not in repr(database.url)


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_server_that_refuses_the_password(
    kind: str, scratches: Scratches, connect: Connect
) -> None:
    url = make_url(scratches.url(kind)).set(username="fenix_nobody", password=PASSWORD)
    database = connect(url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable, match="fenix_nobody") as caught:
        read(database, leases.open_leases)
    assert_keeps_the_password(caught)


@pytest.mark.services
def test_postgresql_gets_many_rows_without_a_pipeline(
    scratches: Scratches, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its limit on idle transactions does not hold within one."""
    database = connect(scratches.url("postgresql"))
    migrate.upgrade(database)

    def pipeline(*_: object) -> None:
        raise AssertionError("psycopg makes a pipeline of it")

    monkeypatch.setattr(psycopg.Cursor, "executemany", pipeline)
    updates = [replies.taken(number, "answers") for number in (1, 2, 3)]
    write(database, lambda connection: write_all(connection, updates))


def test_a_file_that_can_not_be_opened(tmp_path: Path, connect: Connect) -> None:
    database = connect(f"sqlite:///{tmp_path}/missing/fenix.db")
    with pytest.raises(DatabaseUnavailable, match="unable to open database file"):
        read(database, leases.open_leases)


def test_a_file_that_somebody_else_keeps_locked(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fenix.store.database, "STATEMENT_SECONDS", 0.01)
    url = f"sqlite:///{tmp_path}/fenix.db"
    ours, theirs = connect(url), connect(url)
    migrate.upgrade(ours)
    with theirs.connect(write=True) as connection, connection.begin():
        with pytest.raises(DatabaseUnavailable, match="locked"):
            write(ours, timeline.add("session-1", make_entry()))
        assert read(ours, leases.open_leases) == []
    write(ours, timeline.add("session-1", make_entry()))


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_connection_that_is_lost_while_idle_is_replaced(
    kind: str, scratches: Scratches, connect: Connect
) -> None:
    database = connect(scratches.url(kind))
    ident = read(database, connection_id)
    assert read(database, connection_id) == ident
    wait_until(kill(kind, ident), f"connection {ident} is gone")
    assert read(database, connection_id) != ident
    assert write(database, connection_id) != ident


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_connection_that_is_lost_in_a_transaction(
    kind: str, scratches: Scratches, connect: Connect
) -> None:
    database = connect(scratches.url(kind))
    lease = leased(database, make_session())

    def work(connection: Connection) -> None:
        leases.fence(connection, lease)
        timeline.add(lease.session_id, make_entry("lost"))(connection)
        ident = connection_id(connection)
        wait_until(kill(kind, ident), f"connection {ident} is gone")
        timeline.add(lease.session_id, make_entry("never"))(connection)

    with pytest.raises(DatabaseUnavailable):
        write(database, work)

    def again(connection: Connection) -> None:
        leases.fence(connection, lease)
        timeline.add(lease.session_id, make_entry("again"))(connection)

    write(database, again)
    found = read(database, lambda c: timeline.list_entries(c, lease.session_id))
    assert [entry.what for _, entry in found] == ["again"]


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_connection_that_is_lost_before_the_commit(
    kind: str, scratches: Scratches, connect: Connect
) -> None:
    database = connect(scratches.url(kind))
    lease = leased(database, make_session())

    def work(connection: Connection) -> None:
        timeline.add(lease.session_id, make_entry("lost"))(connection)
        ident = connection_id(connection)
        wait_until(kill(kind, ident), f"connection {ident} is gone")

    with pytest.raises(DatabaseUnavailable):
        write(database, work)
    assert read(database, lambda c: timeline.list_entries(c, lease.session_id)) == []


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_process_that_is_frozen_in_a_transaction_does_not_keep_its_lease(
    kind: str, scratches: Scratches, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fenix.store.database, "IDLE_SECONDS", 1)
    ours, theirs = connect(scratches.url(kind)), connect(scratches.url(kind))
    lease = leased(ours, make_session())

    def frozen(connection: Connection) -> None:
        leases.fence(connection, lease)
        timeline.add(lease.session_id, make_entry("lost"))(connection)
        taken.append(write(theirs, lambda c: leases.take(c, lease, "engine-2")))

    taken: list[Lease | None] = []
    with pytest.raises((DatabaseUnavailable, LeaseLost)):
        write(ours, frozen)
    assert [one and one.owner for one in taken] == ["engine-2"]
    assert read(theirs, lambda c: timeline.list_entries(c, lease.session_id)) == []


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_statement_that_takes_too_long(
    kind: str, scratches: Scratches, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fenix.store.database, "STATEMENT_SECONDS", 1)
    database = connect(scratches.url(kind))
    sleep = "SELECT SLEEP(20)" if kind == "mariadb" else "SELECT pg_sleep(20)"
    with pytest.raises(DatabaseUnavailable):
        read(database, lambda c: c.execute(text(sleep)))
    assert read(database, lambda c: c.scalar(text("SELECT 1"))) == 1


@pytest.mark.parametrize("statement", ["SELECT nonsense FROM leases", "SELECT a nonsense b"])
def test_a_wrong_statement_is_no_unavailability(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="nonsense"):
        read(database, lambda c: c.execute(text(statement)))
