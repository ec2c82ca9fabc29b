"""Removes deleted sessions for good, for operators."""

import asyncio
from datetime import datetime
from functools import partial

from oslo_config import cfg

from fenix.service.errors import explained
from fenix.service.parts import open_database
from fenix.store import Database, DatabaseUnavailable, purge


def purge_sessions(conf: cfg.ConfigOpts, before: datetime) -> int:
    """Removes all that is kept of the sessions that were deleted before a moment.

    Args:
        before: naive UTC.

    Returns:
        How many sessions that were.

    Raises:
        CannotStart: the database does not answer. What was removed by then is gone.
    """
    database = open_database(conf)
    try:
        with explained(DatabaseUnavailable, what="database"):
            return asyncio.run(_purge(database, before))
    finally:
        database.close()


async def _purge(database: Database, before: datetime) -> int:
    # One transaction for each session: what engines write meanwhile does not wait for long.
    gone = 0
    for session_id in await database.read(partial(purge.deleted_before, moment=before)):
        gone += await database.write(partial(purge.purge, session_id=session_id, moment=before))
    return gone
