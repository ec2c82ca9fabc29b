"""Managers whose NACK means that they are busy are asked again, if the administrator wants that."""

import pytest

from fenix.domain import EventType, Message
from fenix.simulation.managers import Answer
from fenix.simulation.running import Stage
from tests.simulation.people import say, script
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor, scene

STATES = ("MAINTENANCE", "SCALE_IN", "PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")


class Busy:
    """Refuses some times, and then does as it usually would."""

    def __init__(self, times: int, state: str, project: str) -> None:
        self._left = times
        self._state = state
        self._project = project

    def prepare(self, stage: Stage) -> None:
        """Puts it in the place of the project's manager."""
        usual = stage.channel.managers[self._project]

        async def react(stage: Stage, message: Message, answer: Answer) -> None:
            if self._left:
                self._left -= 1
                one = message.payload["reply_url"].rsplit("/", 1)[-1]
                about = one if one in message.instance_ids else None
                word = f"NACK_{message.state}"
                await say(stage, message, answer, word, instance_id=about)
            else:
                await usual.handle(message, answer)

        script(stage, self._project, **{self._state: react})


def asked(ending: Ending, state: str) -> list[float]:
    """When a question was asked."""
    return [event["t"] for event in ending.of("project.notified", state=state)]


@pytest.mark.parametrize("state", STATES)
def test_a_busy_manager_is_asked_again(state: str) -> None:
    busy = Busy(2, state, "doctor")
    ending = perform(doctor(), prepare=busy.prepare, nack_retries=2, nack_pause=3.0)
    times = asked(ending, state)
    assert [times[1] - times[0], times[2] - times[1]] == [3, 3]
    asked_for = [one for one in ending.messages if one.event_type is EventType.SCHEDULED]
    questions = [one for one in asked_for if one.state == state]
    assert len({one.id for one in questions}) == len(times)
    assert len({one.reply_by for one in questions[:3]}) == 1


def test_by_default_a_refusal_is_final() -> None:
    busy = Busy(1, "MAINTENANCE", "app")
    ending = perform(scene(), prepare=busy.prepare, state="MAINTENANCE_FAILED")
    assert ending.reason == "project app answered NACK_MAINTENANCE"
    assert len(asked(ending, "MAINTENANCE")) == 1


def test_no_more_often_than_the_administrator_wants() -> None:
    busy = Busy(9, "MAINTENANCE", "app")
    ending = perform(
        scene(session={"notice_seconds": 100}),
        prepare=busy.prepare,
        state="MAINTENANCE_FAILED",
        nack_retries=3,
        nack_pause=5.0,
    )
    assert ending.reason == "project app answered NACK_MAINTENANCE"
    assert asked(ending, "MAINTENANCE") == [0, 5, 10, 15]


def test_no_longer_than_the_time_that_the_project_had() -> None:
    busy = Busy(99, "MAINTENANCE", "app")
    ending = perform(
        scene(session={"notice_seconds": 30}),
        prepare=busy.prepare,
        state="MAINTENANCE_FAILED",
        nack_retries=99,
        nack_pause=7.0,
    )
    assert asked(ending, "MAINTENANCE") == [0, 7, 14, 21, 28]


def test_in_workflow_vnf_too() -> None:
    busy = Busy(1, "PLANNED_MAINTENANCE", "app")
    ending = perform(
        scene(session={"workflow": "vnf"}), prepare=busy.prepare, nack_retries=1, nack_pause=4.0
    )
    assert asked(ending, "PLANNED_MAINTENANCE") == [65, 65, 69]


@pytest.mark.parametrize("heard", [False, True])
def test_a_restart_while_a_refusal_is_slept_over_asks_no_more_often(heard: bool) -> None:
    """Also not when the agreement came while no engine was there."""
    refused = Busy(1, "MAINTENANCE", "app")

    async def story(play: Play) -> None:
        await play.event("project.replied", state="NACK_MAINTENANCE")
        if heard:
            await play.event("project.replied", state="ACK_MAINTENANCE")
        await play.stop("engine-1")
        play.start("engine-2")

    ending = perform(
        scene(session={"notice_seconds": 100}),
        story,
        prepare=refused.prepare,
        nack_retries=2,
        nack_pause=20.0,
    )
    assert len(asked(ending, "MAINTENANCE")) == 2
