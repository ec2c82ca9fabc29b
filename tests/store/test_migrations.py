"""The migrations lead to exactly the tables that the queries know, and back."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, String, Table, inspect, make_url, text

import fenix.store.migrations
from fenix.store import Database, DatabaseUnavailable, migrate
from fenix.store.tables import metadata
from tests.store.conftest import ON_SERVERS
from tests.store.running import together
from tests.store.servers import scratch

Connect = Callable[[str], Database]


def tables(database: Database) -> set[str]:
    with database.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def differences(database: Database) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))


def test_up_down_and_up_again(empty: str, connect: Connect) -> None:
    database = connect(empty)
    assert migrate.current(database) is None
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    assert tables(database) == set(metadata.tables)
    migrate.downgrade(database, "base")
    assert migrate.current(database) is None
    assert tables(database) == set()
    migrate.upgrade(database)
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    assert tables(database) == set(metadata.tables)


def test_migrated_schema_is_the_declared_one(empty: str, connect: Connect) -> None:
    database = connect(empty)
    migrate.upgrade(database)
    assert differences(database) == []


def test_comparison_sees_a_changed_type(empty: str, connect: Connect) -> None:
    database = connect(empty)
    migrate.upgrade(database)
    with database.connect(write=True) as connection, connection.begin():
        connection.execute(text("DROP TABLE engines"))
        connection.execute(text("CREATE TABLE engines (id VARCHAR(9) PRIMARY KEY)"))
    assert differences(database)


def description(database: Database) -> dict[str, Any]:
    """All that a database tells about its tables."""
    with database.connect() as connection:
        found = inspect(connection)
        return {
            name: {
                "columns": [
                    column | {"type": repr(column["type"])} for column in found.get_columns(name)
                ],
                "key": found.get_pk_constraint(name),
                "unique": sorted(found.get_unique_constraints(name), key=str),
                "indexes": sorted(found.get_indexes(name), key=str),
                "options": found.get_table_options(name),
            }
            for name in tables(database)
        }


def test_migrated_schema_is_the_declared_one_to_the_last_detail(
    empty: str, connect: Connect
) -> None:
    database = connect(empty)
    migrate.upgrade(database)
    migrated = description(database)
    migrate.downgrade(database, "base")
    metadata.create_all(database.engine)
    assert description(database) == migrated


@pytest.mark.services
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_mariadb_tables_have_our_engine_and_collation(dialect: str, connect: Connect) -> None:
    with scratch("mariadb") as url:
        driver = make_url(url).get_driver_name()
        database = connect(
            make_url(url)
            .set(drivername=f"{dialect}+{driver}")
            .render_as_string(hide_password=False)
        )
        migrate.upgrade(database)
        assert differences(database) == []
        query = text(
            "SELECT table_name, engine, table_collation FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name <> 'alembic_version'"
        )
        with database.connect() as connection:
            found = {tuple(row) for row in connection.execute(query)}
        assert found == {(name, "InnoDB", "utf8mb4_bin") for name in metadata.tables}
        database.close()


@pytest.mark.parametrize("kind", ["sqlite-file", *ON_SERVERS])
def test_two_processes_upgrade_at_the_same_moment(
    kind: str, tmp_path: Path, connect: Connect
) -> None:
    def race(url: str) -> None:
        databases = [connect(url) for _ in range(4)]
        outcomes = together([lambda each=each: migrate.upgrade(each) for each in databases])
        assert outcomes == [None] * 4
        assert migrate.current(databases[0]) == migrate.head()
        assert tables(databases[0]) == set(metadata.tables)
        for database in databases:
            database.close()

    if kind == "sqlite-file":
        race(f"sqlite:///{tmp_path}/fenix.db")
    else:
        with scratch(kind) as url:
            race(url)


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_waits_no_longer_than_the_limit_for_another_process(
    kind: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scratch(kind) as url:
        holder, waiter = connect(url), connect(url)
        with holder.connect_patiently() as connection, migrate._alone(connection):
            monkeypatch.setattr(migrate, "LOCK_SECONDS", 1)
            with pytest.raises(DatabaseUnavailable, match="waited 1 s for another process"):
                migrate.upgrade(waiter)
        migrate.upgrade(waiter)
        holder.close()
        waiter.close()


def test_check_says_what_to_run(empty: str, connect: Connect) -> None:
    database = connect(empty)
    with pytest.raises(migrate.SchemaMismatch, match='no schema yet: run "fenix db upgrade"'):
        migrate.check(database)
    migrate.upgrade(database)
    migrate.check(database)


def stamp(database: Database, revision: str) -> None:
    with database.connect(write=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})


def test_a_newer_schema_is_not_touched(empty: str, connect: Connect) -> None:
    database = connect(empty)
    migrate.upgrade(database)
    stamp(database, "9999")
    calls: list[Callable[[], None]] = [
        lambda: migrate.check(database),
        lambda: migrate.upgrade(database),
        lambda: migrate.downgrade(database, "base"),
    ]
    for call in calls:
        with pytest.raises(migrate.SchemaMismatch, match="revision 9999, which this release"):
            call()
    assert tables(database) == set(metadata.tables)


def test_a_revision_that_does_not_exist(empty: str, connect: Connect) -> None:
    database = connect(empty)
    with pytest.raises(migrate.SchemaMismatch, match="4711"):
        migrate.upgrade(database, "4711")
    assert migrate.current(database) is None


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, in their place, that a test may add to."""
    target = tmp_path / "100% ours"
    copytree(
        Path(fenix.store.migrations.__file__).parent,
        target,
        ignore=ignore_patterns("__pycache__"),
    )
    monkeypatch.setattr(migrate, "LOCATION", str(target))
    # This place gets another newest revision.
    monkeypatch.setattr(migrate, "head", migrate.head.__wrapped__)
    return target


@pytest.fixture
def extra_table() -> Iterator[Table]:
    """A table that has been declared since the last migration."""
    table = Table(
        "extra", metadata, Column("id", Integer, primary_key=True), Column("name", String(10))
    )
    yield table
    metadata.remove(table)


@pytest.mark.usefixtures("extra_table")
def test_a_drafted_step_makes_older_schemas_need_an_upgrade(copy: Path, connect: Connect) -> None:
    database, old = connect("sqlite://"), migrate.head()
    migrate.upgrade(database)
    assert migrate.draft("Add the extra table").parent == copy / "versions"
    assert int(migrate.head()) == int(old) + 1
    with pytest.raises(
        migrate.SchemaMismatch, match=f'at revision {old}, not at .*: run "fenix db upgrade"'
    ):
        migrate.check(database)
    migrate.upgrade(database)
    migrate.check(database)
    assert differences(database) == []
    migrate.downgrade(database, "-1")
    assert migrate.current(database) == old
    assert "extra" not in tables(database)


def test_logging_is_left_alone(empty: str, connect: Connect) -> None:
    root, alembic = logging.getLogger(), logging.getLogger("alembic")
    before = (root.level, list(root.handlers), alembic.level, list(alembic.handlers))
    migrate.upgrade(connect(empty))
    assert (root.level, list(root.handlers), alembic.level, list(alembic.handlers)) == before
    assert not logging.getLogger("fenix").disabled
