"""A cluster of two nodes: what is done on both at the same moment."""

from collections.abc import Callable, Iterator, Sequence
from threading import Barrier

import pytest
from sqlalchemy import Connection

import fenix.store.errors
from fenix.store import (
    Database,
    DatabaseUnavailable,
    Lease,
    LeaseLost,
    galera,
    leases,
    migrate,
    timeline,
)
from fenix.store.admission import one_at_a_time
from tests.factories import make_entry, make_session
from tests.servers.databases import GaleraNode, cluster
from tests.store.running import SECONDS, leased, read, together, wait_until, write
from tests.store.servers import connection_id

pytestmark = pytest.mark.services
Connect = Callable[[str], Database]
TIMES = 25
"""How often two nodes are let collide."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Sequence[GaleraNode]]:
    with cluster() as found:
        yield found


@pytest.fixture
def databases(nodes: Sequence[GaleraNode], connect: Connect) -> Iterator[list[Database]]:
    """One on each node, migrated."""
    databases = [connect(node.url) for node in nodes]
    migrate.upgrade(databases[0])
    yield databases
    migrate.downgrade(databases[0], "base")


@pytest.fixture
def given_up(databases: list[Database], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each transaction that a node gives up."""
    seen: list[object] = []
    real = fenix.store.errors._given_up

    def look(error: BaseException | None) -> bool:
        found = real(error)
        seen.extend([error] * found)
        return found

    monkeypatch.setattr(fenix.store.errors, "_given_up", look)
    return seen


def test_the_schema_is_changed_on_both_nodes_at_once(
    nodes: Sequence[GaleraNode], connect: Connect
) -> None:
    databases = [connect(node.url) for node in [*nodes, *nodes]]
    for _ in range(2):
        outcomes = together([lambda each=each: migrate.upgrade(each) for each in databases])
        assert outcomes == [None] * len(databases)
        assert {migrate.current(each) for each in databases} == {migrate.head()}
        migrate.downgrade(databases[0], "base")


def test_who_has_left_the_schema_half_changed_is_named(
    databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0)
    with databases[0].connect_patiently() as holder, galera.changing_schema(holder, 0) as other:
        assert other is None
        with pytest.raises(DatabaseUnavailable, match=r"process \d+, since .* fenix_schema_change"):
            migrate.upgrade(databases[1])
    migrate.upgrade(databases[1])


class Meeting:
    """Where two transactions wait for each other on their first try, so that they collide."""

    def __init__(self) -> None:
        self._barrier = Barrier(2)
        self._been: set[str] = set()

    def attend(self, who: str) -> None:
        if who not in self._been:
            self._been.add(who)
            self._barrier.wait(SECONDS)


def notes(connection: Connection, session_id: str) -> list[str]:
    return [entry.what for _, entry in timeline.list_entries(connection, session_id)]


def test_of_two_who_ask_for_the_same_host_on_two_nodes_one_gets_it(
    databases: list[Database], given_up: list[object]
) -> None:
    for number in range(TIMES):
        meeting, host = Meeting(), f"host-{number}"

        def ask(
            database: Database, who: str, meeting: Meeting = meeting, host: str = host
        ) -> list[str]:
            def work(connection: Connection) -> list[str]:
                one_at_a_time(connection)
                claims = notes(connection, host)
                meeting.attend(who)
                if not claims:
                    timeline.add(host, make_entry(who))(connection)
                return claims

            return write(database, work)

        first, second = together(
            [lambda: ask(databases[0], "first"), lambda: ask(databases[1], "second")]
        )
        assert (first, second) in (([], ["first"]), (["second"], []))
    assert len(given_up) >= TIMES


def test_a_fenced_write_on_one_node_meets_a_take_over_on_the_other(
    databases: list[Database], given_up: list[object]
) -> None:
    """Whoever comes first: nothing is written under the old lease after the take-over."""
    for _ in range(TIMES):
        lease = leased(databases[0], make_session())
        meeting, ident = Meeting(), lease.session_id

        def go_on(connection: Connection, meeting: Meeting = meeting, lease: Lease = lease) -> None:
            leases.fence(connection, lease)
            meeting.attend("owner")
            timeline.add(lease.session_id, make_entry("old"))(connection)

        def take_over(
            connection: Connection, meeting: Meeting = meeting, ident: str = ident
        ) -> list[str]:
            (now,) = [one for one in leases.open_leases(connection) if one.session_id == ident]
            assert leases.take(connection, now, "engine-2")
            meeting.attend("heir")
            return notes(connection, ident)

        fenced, seen = together(
            [lambda w=go_on: write(databases[0], w), lambda w=take_over: write(databases[1], w)]
        )
        assert fenced is None or isinstance(fenced, LeaseLost), fenced
        assert read(databases[0], lambda c, i=ident: notes(c, i)) == seen
        assert seen == (["old"] if fenced is None else [])
    assert len(given_up) >= TIMES


def test_what_was_written_on_one_node_is_read_on_the_other(databases: list[Database]) -> None:
    ours, theirs = databases
    for number in range(4 * TIMES):
        write(ours, timeline.add("session-1", make_entry(f"step.{number}")))
        assert len(read(theirs, lambda c: notes(c, "session-1"))) == number + 1


def test_connections_to_a_node_that_has_lost_the_others_are_left(
    nodes: Sequence[GaleraNode], databases: list[Database]
) -> None:
    """They would stay open and refuse everything, while a proxy could lead to another node."""
    before = read(databases[1], connection_id)
    nodes[1].isolate(True)
    wait_until(lambda: not nodes[1].ready(), "the node is alone")
    with pytest.raises(DatabaseUnavailable, match="WSREP has not yet prepared node"):
        read(databases[1], leases.open_leases)
    nodes[1].isolate(False)
    wait_until(lambda: all(node.ready() for node in nodes), "the nodes are together again")
    assert read(databases[1], connection_id) != before
