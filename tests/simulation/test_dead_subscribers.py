"""Receivers that take nothing: tried ever more seldom, by all sessions together, and told of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from fenix.domain import DeliveryState, EventType, Message, Subscription
from fenix.engine import Tools
from fenix.simulation.clock import EPOCH
from fenix.simulation.running import Stage
from fenix.store import subscriptions
from tests.factories import make_subscription
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import scene
from tests.simulation.weather import FlakyChannel, Outage

DAMAGED = [
    f"t={at}: host {name} is worked on before anybody was told"
    for at, name in ((35.0, "compute-3"), (166.0, "compute-2"), (166.0, "compute-1"))
]


class Subscribed(FlakyChannel):
    """Brings messages for hosts and sessions to one subscription of the administrator's."""

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """See `Channel.targets`."""
        if event_type is EventType.SCHEDULED:
            return super().targets(project_id, event_type, subscriptions)
        return [one.id for one in subscriptions if one.project_id == project_id]


class Lines:
    """Puts such a channel between the engine and the real one."""

    def __init__(self, *outages: Outage) -> None:
        self._outages = outages
        self.channel: Subscribed

    def around(self, tools: Tools) -> Tools:
        """The engine's tools."""
        kinds = [EventType.SESSION, EventType.HOST]
        self.channel = Subscribed(tools.channels[0], self._outages, only=kinds)
        return replace(tools, channels=[self.channel])

    def tried(self) -> list[float]:
        """When messages for the subscription were tried."""
        pairs = zip(self.channel.times, self.channel.attempts, strict=True)
        return [at for at, one in pairs if one.event_type is not EventType.SCHEDULED]


def subscribe(stage: Stage) -> None:
    """The administrator's monitoring subscribes."""
    made = make_subscription(id="monitor", project_id="admin")
    with stage.database.connect(write=True) as connection, connection.begin():
        subscriptions.add(connection, made)


def stored(ending: Ending) -> Subscription:
    """The subscription afterwards."""
    with ending.stage.database.connect() as connection:
        found = subscriptions.get(connection, "monitor")
    assert found is not None
    return found


def test_a_receiver_that_never_takes_anything_is_dead_in_the_end() -> None:
    lines = Lines(Outage(0))
    ending = perform(scene(), prepare=subscribe, around=lines.around, violations=DAMAGED)
    found = stored(ending)
    assert found.failing_since == EPOCH
    assert found.last_error == "the receiver is not there"
    give_up = timedelta(seconds=ending.stage.settings.delivery_give_up)
    assert found.health(ending.stage.now(), give_up) == "DEAD"
    lost = [one for one in ending.deliveries if one.state is DeliveryState.GIVEN_UP]
    assert len(lost) == len(
        [one for one in ending.messages if one.event_type != "maintenance.scheduled"]
    )
    # Not even the next message, whose first try it is, hurries it again.
    pauses = [later - earlier for earlier, later in pairwise(lines.tried())]
    assert pauses[:6] == [1, 2, 4, 8, 16, 32]
    assert {pause for pause in pauses[6:] if pause} == {60}


def test_a_receiver_that_is_back_gets_all_it_has_missed() -> None:
    lines = Lines(Outage(0, 300))
    ending = perform(scene(), prepare=subscribe, around=lines.around, violations=DAMAGED)
    found = stored(ending)
    assert (found.failing_since, found.retry_at) == (None, None)
    assert found.last_error == "the receiver is not there"
    assert {one.state for one in ending.deliveries} == {DeliveryState.DELIVERED}
    heard: list[Message] = [one for one in ending.sent if one.event_type != "maintenance.scheduled"]
    assert [one.sequence for one in heard] == sorted(one.sequence for one in heard)


def test_what_another_session_learnt_about_a_receiver_counts() -> None:
    """The first message waits until the time that somebody else's failure has set."""

    def prepare(stage: Stage) -> None:
        subscribe(stage)
        with stage.database.connect(write=True) as connection, connection.begin():
            later = EPOCH + timedelta(seconds=50)
            subscriptions.failed("monitor", "refused", EPOCH, later)(connection)

    async def story(play: Play) -> None:
        await play.event("project.notified", state="MAINTENANCE")

    lines = Lines()
    perform(scene(), story, prepare=prepare, around=lines.around, violations=DAMAGED[:1])
    assert lines.tried()[0] == 50


def test_a_slow_receiver_gets_the_time_that_its_channel_allows() -> None:
    """Longer than the engine gives to channels without limits of their own."""
    lines = Lines(Outage(0, 300))

    def around(tools: Tools) -> Tools:
        changed = lines.around(tools)
        lines.channel.longest, lines.channel.hangs = 360.0, True
        return changed

    ending = perform(scene(), prepare=subscribe, around=around, violations=DAMAGED)
    assert lines.tried()[1] == 366
    assert "did not end with it within 365 s" in (stored(ending).last_error or "")
