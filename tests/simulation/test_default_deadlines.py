"""Deadlines lie in the future, whenever the maintenance is to begin."""

import asyncio
from datetime import datetime, timedelta

import pytest

from fenix.domain import EventType, ProjectState
from fenix.simulation.clock import EPOCH
from fenix.simulation.running import Stage
from tests.simulation.people import script, silent
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor, scene


def questions(ending: Ending) -> dict[str, tuple[datetime, datetime, datetime]]:
    """When each question was sent, until when it was to be answered, and when things happen."""
    return {
        message.key: (
            message.created_at,
            datetime.fromisoformat(message.payload["reply_at"]),
            datetime.fromisoformat(message.payload["actions_at"]),
        )
        for message in ending.messages
        if message.event_type is EventType.SCHEDULED
        and message.state != ProjectState.INSTANCE_ACTION_DONE
    }


@pytest.mark.parametrize("notice", [0, 1, 30, 600, 86400])
def test_every_deadline_is_in_the_future(notice: float) -> None:
    ending = perform(scene(session={"notice_seconds": notice}))
    asked = questions(ending)
    assert len(asked) == 3
    for sent, reply_by, actions_at in asked.values():
        assert sent < reply_by <= actions_at


@pytest.mark.parametrize(
    ("notice", "window"), [(0, 10), (5, 10), (30, 30), (299, 299), (300, 300), (3600, 300)]
)
def test_the_first_window_is_shrunk_to_fit_before_the_maintenance(
    notice: float, window: float
) -> None:
    ending = perform(scene(session={"notice_seconds": notice}))
    sent, reply_by, actions_at = questions(ending)["MAINTENANCE:app"]
    assert reply_by - sent == timedelta(seconds=window)
    assert actions_at == max(EPOCH + timedelta(seconds=notice), reply_by)


def test_doctor_answers_within_the_30_seconds_that_it_gives() -> None:
    ending = perform(doctor())
    sent, reply_by, actions_at = questions(ending)["MAINTENANCE:doctor"]
    assert (reply_by - sent, actions_at - sent) == (timedelta(seconds=30), timedelta(seconds=30))
    assert ending.first("session.state", state="MAINTENANCE_DONE") < 20 * 60


def test_a_maintenance_in_the_past_begins_as_soon_as_all_agree() -> None:
    async def start(play: Play) -> None:
        await asyncio.sleep(7200)
        play.start("engine-1")

    def late(play: Play) -> None:
        play.running["late"] = play.tasks.create_task(start(play))

    ending = perform(scene(session={"notice_seconds": 5}), cast=late)
    sent, reply_by, actions_at = questions(ending)["MAINTENANCE:app"]
    assert sent == EPOCH + timedelta(seconds=7200)
    assert reply_by == actions_at == sent + timedelta(seconds=10)
    assert ending.first("host.maintenance.started") == 7201.0


def test_nothing_is_touched_before_its_time() -> None:
    ending = perform(scene(session={"notice_seconds": 1000}))
    assert ending.first("host.disabled") == 1000.0


def test_a_silent_project_is_waited_for_until_the_deadline_and_no_longer() -> None:
    def mute(stage: Stage) -> None:
        script(stage, "app", MAINTENANCE=silent)

    ending = perform(
        scene(session={"notice_seconds": 60}), prepare=mute, state="MAINTENANCE_FAILED"
    )
    assert ending.first("session.state", state="MAINTENANCE_FAILED") == 60.0
