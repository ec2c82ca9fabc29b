"""Databases that earlier releases have left: migrated, and their session finished.

Each file was written once, by `scripts/keep_release.py` of that release, and stays as it is.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, create_engine

from fenix.domain import HostState, SessionState
from fenix.engine import Engine
from fenix.engine.state import SessionData, load
from fenix.simulation import clock
from fenix.simulation.loading import load as load_scenario
from fenix.simulation.running import Stage, set_stage, until_closed
from fenix.store import Database, migrate, sessions
from fenix.store.tables import metadata
from tests.store.conftest import ON_SERVERS
from tests.store.servers import scratch

HERE = Path(__file__).parent
KEPT = sorted(HERE.glob("*.sql"))
SESSION = "simulation"

each_release = pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)


def restore(kept: Path, file: Path) -> dict[str, Any]:
    """Makes an SQLite file; returns how the cloud was."""
    text = kept.read_text()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(text)
    found: dict[str, Any] = json.loads(text.partition("\n")[0].removeprefix("-- "))
    return found


def rows(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows of all tables as Python sees them; the types are the declared ones."""
    engine = create_engine(f"sqlite:///{file}")
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        for name, table in found.tables.items():
            declared = metadata.tables.get(name)
            for column in table.columns:
                if declared is not None and column.name in declared.columns:
                    column.type = declared.columns[column.name].type
            yield name, [dict(row) for row in connection.execute(table.select()).mappings()]
    engine.dispose()


def copy(file: Path, database: Database) -> None:
    """Fills a server's database, at the revision of the file."""
    content = dict(rows(file))
    ((revision,),) = [row.values() for row in content.pop("alembic_version")]
    migrate.upgrade(database, revision)
    with database.connect(write=True) as connection, connection.begin():
        for name, found in content.items():
            table = Table(name, MetaData(), autoload_with=connection)
            connection.execute(table.delete())
            declared = metadata.tables.get(name)
            for column in table.columns:
                if declared is not None and column.name in declared.columns:
                    column.type = declared.columns[column.name].type
            if found:
                connection.execute(table.insert(), found)


def test_this_test_has_something_to_test() -> None:
    assert KEPT


@each_release
@pytest.mark.parametrize("kind", ON_SERVERS)
def test_a_server_holds_the_same_session_afterwards(kept: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "fenix.sqlite"
    restore(kept, file)

    def look(database: Database) -> SessionData:
        migrate.upgrade(database)
        migrate.check(database)

        def read(connection: Connection) -> SessionData:
            return load(connection, SESSION, datetime.now)

        with database.connect() as connection:
            return read(connection)

    with scratch(kind) as url:
        there, here = Database(url), Database(f"sqlite:///{file}")
        copy(file, there)
        assert look(there) == look(here)
        there.close()
        here.close()


@each_release
def test_this_release_finishes_the_session(kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "fenix.sqlite"
    world = restore(kept, file)
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)

    async def go_on() -> Stage:
        async with asyncio.TaskGroup() as tasks:
            stage = await set_stage(load_scenario(HERE / "scenario.json"), tasks, database)
            for ident, host in world["places"].items():
                stage.world.instances[ident].host = host
            for host, reason in world["disabled"].items():
                stage.world.disable_host(host, reason)
            await asyncio.sleep(world["seconds"])
            engine = Engine(stage.tools(), "engine-of-this-release")
            stage.engines.append(engine)
            running = tasks.create_task(engine.run())
            await until_closed(stage, SESSION)
            running.cancel()
        return stage

    stage = clock.run(go_on())
    with database.connect() as connection:
        session = sessions.get(connection, SESSION)
        data = load(connection, SESSION, datetime.now)
    database.close()
    assert session is not None
    assert session.state is SessionState.MAINTENANCE_DONE, session.reason
    assert {host.state for host in data.hosts.values()} == {HostState.MAINTAINED}
    assert all(host.enabled for host in stage.world.hosts.values())
    worked_on = [e["host"] for e in stage.log.events if e["event"] == "host.maintenance.started"]
    assert len(worked_on) == len(set(worked_on)) == 2, "the first one was done before"
