"""Checks a plan's request by the rules for a new session, and writes nothing.

The session is created as always, but in a database in memory that knows of the other sessions only
what the rules ask for.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from fenix.clouds.simulated import SimulatedCloud
from fenix.domain import HostRecord, Inventory, Session, SessionRequest
from fenix.domain.assumptions import Assumptions
from fenix.engine.intake import IntakeRules, create_session
from fenix.simulation.plan_copy import copy_cloud
from fenix.store import Database, progress, sessions
from fenix.store.tables import create_tables

Claims = Sequence[tuple[Session, Sequence[HostRecord]]]
"""Sessions with their hosts."""


def claims(connection: Connection) -> Claims:
    """The sessions that may have hosts which no other session may have."""
    return [
        (session, progress.list_hosts(connection, session.id))
        for session in sessions.list_all(connection)
        if not session.state.ended or session.resume_state
    ]


async def check(
    request: SessionRequest,
    inventory: Inventory,
    others: Claims,
    now: datetime,
    rules: IntakeRules,
) -> None:
    """Makes sure that the session could be created now.

    Args:
        others: see `claims`.
        now: naive UTC.

    Raises:
        InvalidField, Conflict: as `fenix.engine.intake.create_session`.
    """
    database = Database("sqlite://")
    try:
        create_tables(database.engine)
        await database.write(lambda connection: _enter(connection, others))
        cloud = SimulatedCloud(copy_cloud(inventory, Assumptions()))
        await create_session(database, cloud, request, "", now, rules)
    finally:
        database.close()


def _enter(connection: Connection, others: Claims) -> None:
    for session, hosts in others:
        sessions.create(connection, session)
        for host in hosts:
            progress.save_host(session.id, host)(connection)
