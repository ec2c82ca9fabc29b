"""The databases that the store is tested on; the services tier brings the servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fenix.store import Database, migrate
from fenix.store.tables import locks, metadata
from tests.store.servers import scratch

ON_SERVERS = [
    pytest.param("mariadb", marks=pytest.mark.services),
    pytest.param("postgresql", marks=pytest.mark.services),
]
SHARED = ["sqlite-file", *ON_SERVERS]
EVERY = ["sqlite-memory", *SHARED]


class Scratches:
    """One migrated scratch database for each kind of server, made when a test first asks."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._urls: dict[str, str] = {}

    def url(self, kind: str) -> str:
        """Where the scratch database of a server is."""
        if kind not in self._urls:
            url = self._stack.enter_context(scratch(kind))
            database = Database(url)
            migrate.upgrade(database)
            database.close()
            self._urls[kind] = url
        return self._urls[kind]


@pytest.fixture(scope="session")
def scratches() -> Iterator[Scratches]:
    """The scratch databases of this test session."""
    with ExitStack() as stack:
        yield Scratches(stack)


@contextmanager
def _clean_url(kind: str, scratches: Scratches, tmp_path: Path) -> Iterator[str]:
    if kind.startswith("sqlite"):
        url = "sqlite://" if kind == "sqlite-memory" else f"sqlite:///{tmp_path}/fenix.db"
        if kind == "sqlite-file":
            database = Database(url)
            migrate.upgrade(database)
            database.close()
        yield url
        return
    url = scratches.url(kind)
    yield url
    database = Database(url)
    with database.connect(write=True) as connection, connection.begin():
        for table in set(metadata.sorted_tables) - {locks}:  # its rows come with the schema
            connection.execute(table.delete())
    database.close()


@pytest.fixture(params=EVERY)
def database(
    request: pytest.FixtureRequest, scratches: Scratches, tmp_path: Path
) -> Iterator[Database]:
    """A migrated database without rows, of each kind in turn."""
    with _clean_url(request.param, scratches, tmp_path) as url:
        database = Database(url)
        if request.param == "sqlite-memory":
            migrate.upgrade(database)
        yield database
        database.close()


@pytest.fixture(params=SHARED)
def shared_url(
    request: pytest.FixtureRequest, scratches: Scratches, tmp_path: Path
) -> Iterator[str]:
    """Where a migrated database without rows is that several processes can use."""
    with _clean_url(request.param, scratches, tmp_path) as url:
        yield url


@pytest.fixture(params=EVERY)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database without any schema is."""
    if request.param == "sqlite-memory":
        yield "sqlite://"
    elif request.param == "sqlite-file":
        yield f"sqlite:///{tmp_path}/fenix.db"
    else:
        with scratch(request.param) as url:
            yield url


@pytest.fixture
def connect() -> Iterator[Callable[[str], Database]]:
    """Opens databases that are closed after the test."""
    opened: list[Database] = []

    def connect(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    yield connect
    for database in opened:
        database.close()
