"""The end of a move is seen soon, whatever other moves are under way."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from fenix.clouds import MoveStatus, MoveTicket
from fenix.engine import Tools
from tests.simulation.play import perform
from tests.simulation.scenes import host, instance, project, scene
from tests.simulation.weather import AroundCloud

POLL = 2.0


class LooksFromTimeToTime(AroundCloud):
    """Looks every 2 s at the moves that it was asked about, as a driver without events does."""

    looks = 0

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `Cloud.watch_moves`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            if wait:
                await asyncio.sleep(POLL)
            self.looks += 1
            found = await self.inner.watch_moves(tickets, 0)
            if found or loop.time() >= end:
                return found


@pytest.mark.parametrize("reply_seconds", [1, 5, 11, 30])
def test_a_short_move_that_begins_during_a_long_one(reply_seconds: float) -> None:
    """The projects answer at different times, so their moves begin at different times."""
    clouds: list[LooksFromTimeToTime] = []

    def around(tools: Tools) -> Tools:
        clouds.append(LooksFromTimeToTime(tools.cloud))
        return replace(tools, cloud=clouds[0])

    ending = perform(
        scene(
            hosts=[host(f"compute-{n}") for n in (1, 2, 3)],
            projects=[project("app"), project("other", reply_seconds=reply_seconds)],
            instances=[
                instance("long", "compute-1", live_migration_seconds=600),
                instance("short", "compute-1", project="other"),
            ],
            session={"notice_seconds": 60},
        ),
        around=around,
    )
    ended = ending.first("instance.move.finished", instance="short")
    told = ending.first("project.notified", state="INSTANCE_ACTION_DONE", project="other")
    assert told - ended <= 10
    assert clouds[0].looks < 600 / POLL + 40, "it is not asked without pause"


def test_moves_that_keep_coming_do_not_keep_it_from_looking() -> None:
    """Each second another project agrees, and each of their moves ends after 10 s."""
    projects = [project(f"p-{n}", reply_seconds=n) for n in range(1, 31)]
    small = {"vcpus": 1, "memory_mb": 100, "disk_gb": 1}
    ending = perform(
        scene(
            hosts=[host(f"compute-{n}", vcpus=40) for n in (1, 2)],
            projects=projects,
            instances=[
                instance(f"i-{n}", "compute-1", project=f"p-{n}", **small) for n in range(1, 31)
            ],
            session={"notice_seconds": 60},
        ),
        around=lambda tools: replace(tools, cloud=LooksFromTimeToTime(tools.cloud)),
    )
    for number in range(1, 31):
        ended = ending.first("instance.move.finished", instance=f"i-{number}")
        told = ending.first("project.notified", state="INSTANCE_ACTION_DONE", project=f"p-{number}")
        assert told - ended <= 10
