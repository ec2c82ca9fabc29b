"""Keeps this release's database, with a session in the middle of its work, for all later ones.

To be run before a release; writes ``tests/upgrade/VERSION.sql``. Its first line says, as JSON,
how the cloud is at that moment.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from fenix import __version__
from fenix.engine import Engine
from fenix.simulation import clock
from fenix.simulation.loading import load
from fenix.simulation.running import create_session, set_stage
from fenix.store import Database, migrate

PLACE = Path(__file__).parents[1] / "tests/upgrade"
MOMENT = "host.enabled"
"""The first host is maintained, the others are not."""


def main() -> int:
    """Refuses to replace what has been kept."""
    target = PLACE / f"{__version__}.sql"
    if target.exists():
        sys.stderr.write(f"{target} is there already: what was kept is not changed\n")
        return 1
    target.write_text(clock.run(_dump()))
    return 0


async def _dump() -> str:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "fenix.sqlite")
        database = Database(f"sqlite:///{file}")
        migrate.upgrade(database)
        async with asyncio.TaskGroup() as tasks:
            stage = await set_stage(load(PLACE / "scenario.json"), tasks, database)
            there = asyncio.Event()
            stage.log.observers.append(lambda e: there.set() if e["event"] == MOMENT else None)
            await create_session(stage)
            engine = Engine(stage.tools(), "engine-of-the-release-before")
            running = tasks.create_task(engine.run())
            await there.wait()
            # As it is: the engine has not been asked to stop.
            with sqlite3.connect(file) as connection:
                lines = list(connection.iterdump())
            world = {
                "seconds": asyncio.get_running_loop().time(),
                "disabled": {
                    host.name: host.disabled_reason
                    for host in stage.world.hosts.values()
                    if not host.enabled
                },
                "places": {one.id: one.host for one in stage.world.instances.values()},
            }
            running.cancel()
        database.close()
    return "\n".join([f"-- {json.dumps(world)}", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
