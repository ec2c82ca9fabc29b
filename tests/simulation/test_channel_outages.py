"""Channels may fail for a while or for ever, or hang: messages keep their order, none is lost."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from fenix.domain import DeliveryState, EventType, Message
from fenix.engine import Tools
from fenix.engine.sending_again import send_again
from fenix.messaging import DeliveryFailed
from fenix.simulation.clock import EPOCH
from fenix.store import messages
from tests.simulation.crashing import Deeds
from tests.simulation.play import Ending, Play, look, perform
from tests.simulation.scenes import doctor, scene
from tests.simulation.weather import FlakyChannel, Outage

USUAL = Deeds.of(perform(doctor()))


class Lines:
    """Puts a channel with trouble between the engine and the real one."""

    def __init__(self, *outages: Outage, **more: Any) -> None:
        self._outages = outages
        self._more = more
        self.channel: FlakyChannel

    def around(self, tools: Tools) -> Tools:
        """The engine's tools."""
        self.channel = FlakyChannel(tools.channels[0], self._outages, **self._more)
        return replace(tools, channels=[self.channel])


def in_order(messages: Sequence[Message]) -> bool:
    """Whether each project got its messages in the order in which they were written."""
    last: dict[str, int] = {}
    for message in messages:
        if message.sequence < last.get(message.project_id, 0):
            return False
        last[message.project_id] = message.sequence
    return True


@pytest.mark.parametrize("seconds", [1, 10, 50])
@pytest.mark.parametrize("since", [0, 29, 49, 71, 191, 213, 475])
def test_an_outage_only_delays_messages(since: float, seconds: float) -> None:
    """Not longer than a project has to answer; the news of a host wait for 30 s at most."""
    lines = Lines(Outage(since, since + seconds))
    ending = perform(doctor(), around=lines.around, violations=_early(since, seconds))
    assert Deeds.of(ending).unlike(USUAL) == []
    assert in_order(ending.sent)
    assert {one.state for one in ending.deliveries} == {DeliveryState.DELIVERED}


def _early(since: float, seconds: float) -> list[str]:
    """Work on a host begins when nobody could be told of it for 30 s."""
    if seconds <= 30 or since not in (71, 213):
        return []
    host, at = ("compute-2", 102.0) if since == 71 else ("compute-1", 244.0)
    return [f"t={at}: host {host} is worked on before anybody was told"]


def test_outages_again_and_again_only_delay_messages() -> None:
    outages = [Outage(at, at + 6) for at in range(0, 3000, 10)]
    ending = perform(doctor(), around=Lines(*outages).around)
    assert Deeds.of(ending).unlike(USUAL) == []
    assert in_order(ending.sent)


def test_tries_become_rarer_and_rarer() -> None:
    lines = Lines(Outage(0, 400))
    perform(scene(session={"notice_seconds": 1000}), around=lines.around)
    first = lines.channel.attempts[0]
    tried = [
        at
        for at, one in zip(lines.channel.times, lines.channel.attempts, strict=True)
        if one.id == first.id
    ]
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 32]
    assert set(pauses[6:]) == {60}


def given_up(ending: Ending) -> list[str]:
    """The states of the messages that nobody took."""
    return [one.message.state for one in ending.deliveries if one.state is DeliveryState.GIVEN_UP]


def test_a_channel_that_is_dead_for_ever_fails_the_session_and_shows_what_it_lost() -> None:
    lines = Lines(Outage(0), only=[EventType.SCHEDULED])
    ending = perform(
        scene(session={"notice_seconds": 60}), around=lines.around, state="MAINTENANCE_FAILED"
    )
    assert ending.reason == "project app did not answer MAINTENANCE in time"
    assert given_up(ending) == ["MAINTENANCE"]
    (lost,) = [one for one in ending.deliveries if one.state is DeliveryState.GIVEN_UP]
    assert lost.error == "the receiver is not there"
    assert lost.attempts > 30
    assert lost.due_at >= EPOCH + timedelta(seconds=3600)


UNHEARD = [
    f"t={at}: host {name} is worked on before anybody was told"
    for at, name in ((35.0, "compute-3"), (166.0, "compute-2"), (166.0, "compute-1"))
]
"""Work on each host begins when its news have not come through for 30 s."""


@pytest.mark.parametrize("kind", [EventType.SESSION, EventType.HOST])
def test_projects_do_not_wait_for_those_that_watch_hosts_and_sessions(kind: EventType) -> None:
    """Work on hosts waits a little for its news, also when they are stuck behind other messages."""
    ending = perform(scene(), around=Lines(Outage(0), only=[kind]).around, violations=UNHEARD)
    done = [entry.at for entry in ending.timeline if entry.why == "MAINTENANCE_DONE"]
    assert (done[0] - EPOCH).total_seconds() < 400
    assert ending.told("app")[-1] == "MAINTENANCE_COMPLETE"
    lost = "MAINTENANCE_DONE" if kind is EventType.SESSION else "IN_MAINTENANCE"
    assert lost in given_up(ending)


@pytest.mark.parametrize("since", [0, 49, 71])
def test_a_channel_that_hangs_is_given_up_and_tried_again(since: float) -> None:
    lines = Lines(Outage(since, since + 20), hangs=True)
    ending = perform(doctor(), around=lines.around, settings={"delivery_timeout": 10.0})
    assert Deeds.of(ending).unlike(USUAL) == []
    assert in_order(ending.sent)
    assert len(lines.channel.attempts) > len(ending.messages)


def test_a_channel_that_hangs_for_ever_does_not_hold_up_the_session_for_ever() -> None:
    lines = Lines(Outage(0), hangs=True, only=[EventType.SESSION])
    ending = perform(scene(), around=lines.around, violations=UNHEARD)
    assert "MAINTENANCE_DONE" in given_up(ending)
    lost = [one.error for one in ending.deliveries if one.state is DeliveryState.GIVEN_UP]
    assert set(lost) == {"channel simulated did not end with it within 60 s"}


@pytest.mark.parametrize("error", [ValueError, OSError, KeyError])
def test_a_channel_that_breaks_its_contract_counts_as_failed(
    error: Callable[[str], Exception],
) -> None:
    lines = Lines(Outage(0, 15), error=error)
    ending = perform(doctor(), around=lines.around)
    assert Deeds.of(ending).unlike(USUAL) == []


def test_while_a_channel_itself_is_away_the_session_stands_still_and_nothing_is_given_up() -> None:
    """Longer than anybody's time to answer, and than the age at which messages are given up."""
    lines = Lines(Outage(10, 1000), error=lambda why: DeliveryFailed(why, outage=True))
    early = "t=90.0: host compute-3 is worked on before anybody was told"
    ending = perform(scene(session={"notice_seconds": 60}), around=lines.around, violations=[early])
    assert {one.state for one in ending.deliveries} == {DeliveryState.DELIVERED}
    assert in_order(ending.sent)
    assert min(at for at in lines.channel.times if at >= 1000) <= 1003


def test_a_receiver_may_say_when_to_come_again() -> None:
    lines = Lines(Outage(0, 100), error=lambda why: DeliveryFailed(why, retry_after=45.0))
    perform(scene(session={"notice_seconds": 1000}), around=lines.around)
    first = lines.channel.attempts[0]
    tried = [
        at
        for at, one in zip(lines.channel.times, lines.channel.attempts, strict=True)
        if one.id == first.id
    ]
    assert tried == [0, 45, 90, 135]


def test_who_was_told_late_has_its_whole_time_to_answer() -> None:
    """The channel comes back when 25 of 30 s are over; the manager takes 20 s."""

    async def story(play: Play) -> None:
        event = await play.event("project.notified", state="MAINTENANCE")
        assert 25 <= event["t"] <= 35

    model = {"id": "app", "manager": {"reply_seconds": 20}}
    lines = Lines(Outage(0, 25))
    perform(scene(projects=[model], session={"notice_seconds": 30}), story, around=lines.around)


@pytest.mark.parametrize("crash", [False, True])
def test_what_was_given_up_is_sent_again_when_an_administrator_asks(crash: bool) -> None:
    """Also after the session has ended, and with the ids that it had."""
    lines = Lines(Outage(0, 5000), only=[EventType.SESSION])

    async def story(play: Play) -> None:
        database, now = play.stage.database, play.stage.now
        await play.closed()
        first = await database.read(lambda c: messages.undelivered(c, play.session_id))
        assert {one.state for one in first} == {DeliveryState.GIVEN_UP}
        assert {one.message.event_type for one in first} == {EventType.SESSION}
        assert not (await play.session()).open
        # The channel is still away, so it takes some tries.
        channels = [lines.channel]
        assert await send_again(database, channels, play.session_id, None, now()) == len(first)
        assert await send_again(database, channels, play.session_id, None, now()) == 0
        assert (await play.session()).open
        if crash:
            await play.stop("engine-1")
            play.start("engine-2", lines.around(play.stage.tools()))
        play.stage.wake()
        await play.closed()

    # What is sent again comes behind what was written after it.
    late = [*UNHEARD, "t=5043.0: message session:1 is out of order"]
    ending = perform(scene(), story, around=lines.around, violations=late)
    told = [one for one in ending.sent if one.event_type is EventType.SESSION]
    ours = [one for one in ending.messages if one.event_type is EventType.SESSION]
    assert [one.id for one in told] == [one.id for one in ours]
    states = Counter(one.state for one in ending.deliveries if one.message.id == ours[0].id)
    assert states == {DeliveryState.SENT_AGAIN: 1, DeliveryState.DELIVERED: 1}
    assert given_up(ending) == []


def test_messages_are_sent_again_while_the_session_goes_on() -> None:
    """Behind those of the same receiver that are still on their way."""
    lines = Lines(Outage(0, 150), only=[EventType.SESSION])
    settings = {"delivery_give_up": 60.0, "loop_interval": 5.0, "lease_seconds": 30.0}

    async def story(play: Play) -> None:
        await asyncio.sleep(130)
        assert given_up(await look(play.stage, play.session_id))
        channels, now = [lines.channel], play.stage.now()
        assert await send_again(play.stage.database, channels, play.session_id, None, now) == 3

    expected = [
        f"t={at}: host {name} is worked on before anybody was told"
        for at, name in ((35.0, "compute-3"), (136.0, "compute-1"), (136.0, "compute-2"))
    ]
    late = [*expected, "t=158.0: message session:1 is out of order"]
    ending = perform(scene(), story, around=lines.around, settings=settings, violations=late)
    first = next(one for one in ending.messages if one.event_type is EventType.SESSION)
    assert first.id in [one.id for one in ending.sent]
