"""Several engines share the sessions; one that has lost its lease does nothing more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from fenix.domain import HostState, SessionState
from fenix.engine import Tools
from fenix.simulation import clock
from fenix.simulation.building import session_request
from fenix.simulation.crashes import Gate
from fenix.simulation.running import Stage, set_stage, until_closed
from fenix.store import Database, DatabaseUnavailable, leases
from tests.simulation.crashing import Deeds
from tests.simulation.databases import blank_database
from tests.simulation.play import OFTEN, Play, check, create, look, perform
from tests.simulation.scenes import doctor, host, instance, scene
from tests.simulation.weather import FlakyDatabase, Outage

T = TypeVar("T")
USUAL = Deeds.of(perform(doctor()))


def owner(stage: Stage, session_id: str = "simulation") -> str | None:
    """Which engine has a session."""
    with stage.database.connect() as connection:
        found = {lease.session_id: lease.owner for lease in leases.all_leases(connection)}
    return found.get(session_id)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("project.notified", {"state": "MAINTENANCE"}),
        ("project.notified", {"state": "SCALE_IN"}),
        ("instance.move.started", {}),
        ("host.maintenance.started", {}),
        ("project.notified", {"state": "MAINTENANCE_COMPLETE"}),
    ],
)
def test_an_engine_that_stops_in_order_hands_over_at_once(kind: str, keys: dict[str, str]) -> None:
    async def story(play: Play) -> None:
        play.start("engine-2")
        event = await play.event(kind, **keys)
        await play.stop("engine-1")
        assert owner(play.stage) is None
        play.stage.wake()
        await asyncio.sleep(1)
        assert owner(play.stage) == "engine-2"
        assert play.stage.log.events[-1]["t"] <= event["t"] + 2

    ending = perform(doctor(), story, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []


def test_engines_that_come_and_go_all_the_time_change_nothing() -> None:
    async def story(play: Play) -> None:
        for number in range(2, 40):
            play.start(f"engine-{number}")
            await asyncio.sleep(7)
            await play.stop(f"engine-{number - 1}")
            play.stage.wake()

    ending = perform(doctor(), story, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []


TWO_CLOUDS = scene(
    hosts=[host(f"compute-{number}") for number in range(1, 7)],
    instances=[instance(f"i-{number}", f"compute-{number}") for number in (1, 2, 4, 5)],
)


def test_two_sessions_on_disjoint_hosts_go_on_side_by_side_with_two_engines() -> None:
    names = {"one": ("compute-1", "compute-2", "compute-3")}
    names["two"] = ("compute-4", "compute-5", "compute-6")

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            stage = await set_stage(TWO_CLOUDS, tasks, blank_database())
            request = session_request(TWO_CLOUDS, None, stage.now())
            play = Play(stage, "one", tasks)
            for number, ident in enumerate(names, 1):
                await create(stage, replace(request, hosts=names[ident]), ident)
                play.start(f"engine-{number}")
                await asyncio.sleep(1)
            assert (owner(stage, "one"), owner(stage, "two")) == ("engine-1", "engine-2")
            await until_closed(stage, "one")
            await until_closed(stage, "two")
            play.stop_all()
        for ident, mine in names.items():
            ending = await look(stage, ident)
            check(ending, SessionState.MAINTENANCE_DONE)
            assert set(ending.hosts) == set(mine)
            assert {one.state for one in ending.hosts.values()} == {HostState.MAINTAINED}
        assert stage.invariants.peak_hosts > 2, "both were worked on at the same time"

    clock.run(main())


class FrozenRenewals(FlakyDatabase):
    """Renews no leases during outages: the engine believes that it still has them."""

    def _check(self) -> None:
        """Everything else works."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`."""
        frozen = any(outage.present for outage in self._outages)
        if frozen and "_keep_leases" in getattr(work, "__qualname__", ""):
            await asyncio.Event().wait()
        return await self._inner.write(work)


@dataclass
class Watched:
    """Notes what an engine does from some time on, and lets it do it."""

    tools: Tools
    gate: Gate = field(default_factory=Gate)

    def around(self) -> Tools:
        """The engine's tools."""
        return self.gate.around(self.tools)

    def after(self, since: float) -> list[str]:
        """Its outward effects from a time on."""
        return [
            kind
            for kind, time in zip(self.gate.effects, self.gate.times, strict=True)
            if time > since
        ]


@pytest.mark.parametrize("since", [5.0, 35.0, 60.0, 100.0, 200.0, 350.0])
def test_an_engine_that_can_not_renew_its_lease_stops_before_another_takes_over(
    since: float,
) -> None:
    watched: list[Watched] = []
    taken: list[float] = []

    def around(tools: Tools) -> Tools:
        frozen: Database = FrozenRenewals(tools.database, Outage(since))
        watched.append(Watched(replace(tools, database=frozen)))
        return watched[0].around()

    async def story(play: Play) -> None:
        play.start("engine-2")
        async with asyncio.timeout(600):
            while owner(play.stage) != "engine-2":  # noqa: ASYNC110
                await asyncio.sleep(1)
        taken.append(asyncio.get_running_loop().time())

    ending = perform(doctor(), story, around=around, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []
    # Writes that it still tries are refused by the fence; nothing else goes out.
    outward = set(watched[0].after(taken[0])) - {"write"}
    assert outward == set()


def test_a_lost_lease_is_noticed_at_the_next_write() -> None:
    """Somebody takes the lease from a healthy engine: the fence stops it."""

    async def story(play: Play) -> None:
        await play.event("instance.move.started")
        with play.stage.database.connect(write=True) as connection, connection.begin():
            (lease,) = leases.all_leases(connection)
            assert leases.take(connection, lease, "thief") is not None
        await asyncio.sleep(20)
        seen = len(play.stage.log.events)
        await asyncio.sleep(60)
        assert len(play.stage.log.events) == seen, "nothing more is done"
        with play.stage.database.connect(write=True) as connection, connection.begin():
            leases.leave(connection, "thief")
        play.stage.wake()

    perform(scene(), story, settings=OFTEN)


def test_an_engine_finds_its_own_lease_again_when_the_answer_to_taking_it_was_lost() -> None:
    """The lease is its own then, nobody else may take it, and it must go on."""

    class LosesOneAnswer(FlakyDatabase):
        lost = False

        async def write(self, work: Callable[[Connection], T]) -> T:
            result = await self._inner.write(work)
            if not self.lost and "_claim" in getattr(work, "__qualname__", ""):
                self.lost = True
                raise DatabaseUnavailable("the answer to the commit was lost")
            return result

    def around(tools: Tools) -> Tools:
        return replace(tools, database=LosesOneAnswer(tools.database))

    ending = perform(scene(), around=around, settings=OFTEN)
    assert ending.first("project.notified") < 100
