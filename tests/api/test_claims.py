"""Hosts are claimed by one session at most, however many processes let sessions in."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from fenix.domain import Conflict, SessionState
from fenix.engine import intake
from fenix.store import Database, migrate, progress, sessions
from tests.api.harness import NOW, make_cloud
from tests.factories import make_request
from tests.store.conftest import ON_SERVERS
from tests.store.servers import scratch

PROCESSES = 4
ROUNDS = 8
SECONDS = 60


@pytest.fixture(params=["sqlite", *ON_SERVERS])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Database]]:
    """One database as several processes see it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/fenix.db"
        else:
            url = stack.enter_context(scratch(request.param))
        made = [Database(url) for _ in range(PROCESSES)]
        for database in made:
            stack.callback(database.close)
        migrate.upgrade(made[0])
        yield made


def attempt(database: Database, barrier: Barrier, hosts: tuple[str, ...]) -> str | None:
    """Creates a session at the same moment as others; None where another was first."""
    request = make_request(hosts=hosts, maintenance_at=NOW + timedelta(hours=1))

    async def create() -> str | None:
        try:
            made = await intake.create_session(database, make_cloud(), request, "cloud", NOW)
        except Conflict:
            return None
        return made.id

    barrier.wait(SECONDS)
    return asyncio.run(create())


def end(database: Database, session_id: str, state: SessionState) -> None:
    session = asyncio.run(database.read(lambda c: sessions.get(c, session_id)))
    assert session
    ended = replace(session, state=state)
    asyncio.run(database.write(sessions.save(ended)))


def test_of_those_who_want_a_host_one_gets_it(databases: list[Database]) -> None:
    wanted = [("compute-1",), ("compute-2", "compute-1"), (), ("compute-1", "compute-3")]
    with ThreadPoolExecutor(PROCESSES) as threads:
        for _ in range(ROUNDS):
            barrier = Barrier(PROCESSES)
            tries = [
                threads.submit(attempt, database, barrier, hosts)
                for database, hosts in zip(databases, wanted, strict=True)
            ]
            won = [made for one in tries if (made := one.result(SECONDS))]
            assert len(won) == 1
            owned = asyncio.run(databases[0].read(lambda c, s=won[0]: progress.list_hosts(c, s)))
            assert owned
            end(databases[0], won[0], SessionState.MAINTENANCE_DONE)


def test_of_those_who_go_on_with_the_same_hosts_one_does(databases: list[Database]) -> None:
    databases = databases[:2]
    failed = []
    for database in databases:
        made = attempt(database, Barrier(1), ("compute-1",))
        assert made
        end(database, made, SessionState.MAINTENANCE_FAILED)
        failed.append(made)
    barrier = Barrier(2)

    def go_on(database: Database, session_id: str) -> bool:
        barrier.wait(SECONDS)
        try:
            asyncio.run(intake.continue_session(database, session_id, "SCALE_IN", NOW))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        tries = [threads.submit(go_on, *pair) for pair in zip(databases, failed, strict=True)]
        assert sorted(one.result(SECONDS) for one in tries) == [False, True]
