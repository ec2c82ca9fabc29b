"""What is logged while the database works tells which session it is about."""

import asyncio
import logging

import pytest
from sqlalchemy import Connection

from fenix import logs
from fenix.store import Database


@pytest.mark.parametrize("way", ["read", "write"])
def test_units_of_work_know_what_they_are_about(
    database: Database,
    way: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(connection: Connection) -> None:
        logging.warning("with the database")

    async def main() -> None:
        with logs.about(session="s1"):
            await getattr(database, way)(work)

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logs.record)
    try:
        asyncio.run(main())
    finally:
        logging.setLogRecordFactory(before)
    (said,) = caplog.records
    assert getattr(said, "context", None) == {"session": "s1"}
