"""While the database is away the session stands still; nothing is done that could not be kept."""

import asyncio
from dataclasses import replace

import pytest

from fenix.domain import Message
from fenix.engine import Tools
from fenix.simulation.crashes import Gate
from fenix.simulation.managers import Answer
from fenix.simulation.running import Stage
from tests.simulation.crashing import Deeds
from tests.simulation.people import agrees, script
from tests.simulation.play import OFTEN, Play, perform
from tests.simulation.scenes import doctor, instance, project, scene
from tests.simulation.weather import FlakyDatabase, Outage

USUAL = Deeds.of(perform(doctor()))


@pytest.mark.parametrize("seconds", [1, 50, 200])
@pytest.mark.parametrize("since", [0.5, 31, 51, 60, 195, 215, 300, 480])
def test_an_outage_only_delays_the_session(since: float, seconds: float) -> None:
    """Shorter or longer than the lease, which is 90 s."""

    def around(tools: Tools) -> Tools:
        return replace(
            tools, database=FlakyDatabase(tools.database, Outage(since, since + seconds))
        )

    ending = perform(doctor(), around=around, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []


def test_outages_again_and_again_only_delay_the_session() -> None:
    outages = [Outage(at, at + 9) for at in range(1, 3000, 10)]

    def around(tools: Tools) -> Tools:
        return replace(tools, database=FlakyDatabase(tools.database, *outages))

    ending = perform(doctor(), around=around, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []


@pytest.mark.parametrize("since", [31, 60, 195, 215])
def test_an_engine_that_does_not_reach_the_database_is_replaced(since: float) -> None:
    """The other engine still does, and takes over; the first one does nothing in the meantime."""
    gate = Gate()

    def around(tools: Tools) -> Tools:
        cut_off = FlakyDatabase(tools.database, Outage(since))
        return gate.around(replace(tools, database=cut_off))

    async def story(play: Play) -> None:
        play.start("engine-2")

    ending = perform(doctor(), story, around=around, settings=OFTEN)
    assert Deeds.of(ending).unlike(USUAL) == []
    after = zip(gate.effects, gate.times, strict=True)
    lease_over = since + 90 * 0.9
    outward = {kind for kind, time in after if time > lease_over and kind != "write"}
    assert outward == set()


@pytest.mark.parametrize("late", [0.1, 3, 9])
def test_who_could_not_answer_meanwhile_is_given_the_time_anew(late: float) -> None:
    """A manager whose replies the API can't take tries until they are taken; its 10 s are over."""
    outage = Outage(2, 62)

    async def tries(stage: Stage, message: Message, answer: Answer) -> None:
        await asyncio.sleep(outage.until + late)
        await agrees(stage, message, answer)

    ending = perform(
        scene(projects=[project("app")], instances=[instance("i-1", "compute-1")]),
        prepare=lambda stage: script(stage, "app", MAINTENANCE=tries),
        around=lambda tools: replace(tools, database=FlakyDatabase(tools.database, outage)),
        settings={"loop_interval": 1.0, "lease_seconds": 90.0},
    )
    assert ending.told("app").count("MAINTENANCE") == 1
