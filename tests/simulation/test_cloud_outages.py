"""The cloud may be away for a while, or lose its answers; a session waits, and says so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from fenix.clouds import Cloud
from fenix.domain import HostState
from fenix.engine import Tools
from tests.simulation.crashing import Deeds
from tests.simulation.play import Play, perform
from tests.simulation.scenes import doctor, scene
from tests.simulation.weather import FlakyCloud, LosesAnswers, Outage

USUAL = Deeds.of(perform(doctor()))


def through(make: Callable[[Cloud], Cloud]) -> Callable[[Tools], Tools]:
    """Gives an engine another cloud than the real one."""
    return lambda tools: replace(tools, cloud=make(tools.cloud))


@pytest.mark.parametrize("since", range(0, 520, 26))
def test_a_cloud_that_is_away_for_a_while_only_delays_the_session(since: float) -> None:
    outage = Outage(since, since + 100)
    ending = perform(doctor(), around=through(lambda cloud: FlakyCloud(cloud, outage)))
    assert Deeds.of(ending).unlike(USUAL) == []


def test_a_cloud_that_is_away_again_and_again_only_delays_the_session() -> None:
    outages = [Outage(at, at + 15) for at in range(0, 5000, 20)]
    ending = perform(doctor(), around=through(lambda cloud: FlakyCloud(cloud, *outages)))
    assert Deeds.of(ending).unlike(USUAL) == []


@pytest.mark.parametrize(
    ("since", "has_to_wait"), [(0, False), (31, False), (60, True), (195, True), (400, False)]
)
def test_a_cloud_that_is_away_for_too_long_fails_the_session(
    since: float, has_to_wait: bool
) -> None:
    """Its end waits for the cloud while there are hosts to be enabled."""
    outage = Outage(since, since + 3 * 3600)
    ending = perform(
        doctor(),
        around=through(lambda cloud: FlakyCloud(cloud, outage)),
        state="MAINTENANCE_FAILED",
    )
    assert "the cloud did not answer for 3600 s: 503 from the simulated weather" in ending.reason
    failed = {one.name for one in ending.hosts.values() if one.state is HostState.FAILED}
    assert ending.disabled() == failed
    ended = ending.first("session.state", state="MAINTENANCE_FAILED")
    assert (ended >= outage.until) is has_to_wait


def test_while_the_cloud_is_away_the_session_says_so() -> None:
    seen = []

    async def story(play: Play) -> None:
        await play.event("host.maintenance.finished")
        for _ in range(100):
            await asyncio.sleep(5)
            seen.extend((await play.session()).waiting_for)

    outage = Outage(64, 1000)
    ending = perform(
        scene(),
        story,
        around=through(lambda cloud: FlakyCloud(cloud, outage)),
        settings={"loop_interval": 1.0, "lease_seconds": 15.0},
    )
    assert ending.first("host.enabled", host="compute-3") >= 1000
    assert {"who": "cloud", "what": "answer: reading host compute-3"} in [
        {key: wait[key] for key in ("who", "what")} for wait in seen
    ]
    assert all(wait["until"] for wait in seen if wait["what"].startswith("answer"))


def test_a_deletion_waits_for_a_cloud_that_is_away_however_long() -> None:
    async def story(play: Play) -> None:
        await play.event("host.maintenance.started", host="compute-1")
        await play.delete()

    outage = Outage(80, 5 * 3600)
    ending = perform(
        scene(), story, around=through(lambda cloud: FlakyCloud(cloud, outage)), state=None
    )
    assert ending.disabled() == set()
    assert ending.of("host.enabled")[-1]["t"] >= 5 * 3600
    assert not [one for one in ending.timeline if one.what == "session.failing"]


@pytest.mark.parametrize(
    "lost",
    [
        {"start_move": 5},
        {"confirm_move": 5},
        {"disable_host": 3},
        {"enable_host": 3},
        {"inventory": 20},
        {"start_move": 5, "watch_moves": 1},
        {"start_move": 5, "watch_moves": 8},
    ],
)
def test_a_lost_answer_does_not_make_anything_happen_twice(lost: dict[str, int]) -> None:
    ending = perform(doctor(), around=through(lambda cloud: LosesAnswers(cloud, **lost)))
    assert Deeds.of(ending).unlike(USUAL) == []
    assert {one.error for one in ending.moves} == {None}
