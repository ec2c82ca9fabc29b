"""What MariaDB needs where it is a Galera cluster, of which each connection reaches any node.

Locks of rows, gaps and names hold on one node only. So whatever must not happen twice changes a row
(`leases`, `admission`): that is certified over all nodes at the commit.
"""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event, text
from sqlalchemy.exc import OperationalError

NOT_READY = 1047
"""A node that has lost the others refuses all statements with it."""
EXISTS = 1050
SYNC_ALL = 7
"""For wsrep_sync_wait: the first statement of a transaction, of any kind, waits until the node
has everything that was committed on any other one before."""
CHANGING = "fenix_schema_change"
"""The table that exists while a process changes the schema."""
POLL = 0.5


def prepare(engine: Engine, idle_seconds: int) -> None:
    """Makes connections see what was committed on other nodes, and leave nodes that are cut off.

    Args:
        idle_seconds: how long a transaction may wait for its next statement; 0: for ever.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            wanted = {"wsrep_sync_wait": SYNC_ALL, "idle_transaction_timeout": idle_seconds}
            # Oracle's MySQL has no such variables.
            cursor.execute(f"SHOW VARIABLES WHERE Variable_name IN {tuple(wanted)}")
            for name, _ in cursor.fetchall():
                cursor.execute(f"SET SESSION {name} = {wanted[name]}")

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        error = context.original_exception
        if error.args and error.args[0] == NOT_READY:
            context.is_disconnect = True


def present(connection: Connection) -> bool:
    """Whether the server is a node of a cluster."""
    found = connection.execute(text("SHOW VARIABLES LIKE 'wsrep_on'")).first()
    return found is not None and found[1] == "ON"


@contextmanager
def changing_schema(connection: Connection, seconds: float) -> Iterator[str | None]:
    """Keeps processes on all nodes from changing the schema at the same time.

    Named locks hold on one node. The making of a table happens on all nodes in the same order, so
    that one process makes it, and the others see that it exists.

    Args:
        seconds: how long to wait for others.

    Yields:
        None, or who has been changing the schema all this time.
    """
    who = f"{platform.node()}, process {os.getpid()}, since {datetime.now(UTC):%F %T} UTC"
    end = time.monotonic() + seconds
    make = text(f"CREATE TABLE {CHANGING} (id INTEGER PRIMARY KEY) COMMENT = :who")
    while True:
        try:
            connection.execute(make, {"who": who})
            connection.commit()
            break
        except OperationalError as error:
            if not error.orig or error.orig.args[0] != EXISTS:
                raise
        if time.monotonic() >= end:
            yield _who(connection)
            return
        time.sleep(POLL)
    try:
        yield None
    finally:
        connection.execute(text(f"DROP TABLE {CHANGING}"))


def _who(connection: Connection) -> str:
    query = (
        "SELECT table_comment FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = :name"
    )
    return str(connection.scalar(text(query), {"name": CHANGING}))
