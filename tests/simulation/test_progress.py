"""What an operator sees while a session goes on: what it waits for, how far it is, each change."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import pytest

from fenix.domain import EventType, SessionState
from fenix.simulation.clock import EPOCH
from fenix.simulation.running import Stage
from fenix.simulation.scenario import Scenario
from tests.simulation.people import refuses, script
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor, host, instance, project, scale_in, scene

EACH_SECOND = {"loop_interval": 1.0, "lease_seconds": 15.0}


@dataclass
class Look:
    """What is shown at one moment."""

    second: float
    events: int
    state: str
    percent_done: int
    waiting_for: list[dict[str, Any]]


@dataclass
class Operator:
    """Looks at the session each second, between the engine's own looks."""

    looks: list[Look] = field(default_factory=list)

    async def story(self, play: Play) -> None:
        """Until the session has ended."""
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        while True:
            session = await play.session()
            self.looks.append(
                Look(
                    loop.time(),
                    len(play.stage.log.events),
                    session.state,
                    session.percent_done,
                    session.waiting_for,
                )
            )
            if session.state in ("MAINTENANCE_DONE", "MAINTENANCE_FAILED"):
                return
            await asyncio.sleep(1)


SLOW = scene(
    projects=[project("app", reply_seconds=40, scale_in=scale_in() | {"seconds": 100})],
    groups=[{"id": "web", "project": "app", "removable": True}],
    hosts=[host(f"compute-{n}", vcpus=4) for n in (1, 2)],
    instances=[
        instance(f"i-{n}", f"compute-{1 + n % 2}", group="web", live_migration_seconds=70)
        for n in range(4)
    ],
    session={"notice_seconds": 120},
)


def watched(scenario: Scenario, state: str = "MAINTENANCE_DONE", **more: Any) -> list[Look]:
    """What an operator sees of a session."""
    operator = Operator()
    perform(scenario, operator.story, state=state, settings=EACH_SECOND, **more)
    return operator.looks


@pytest.mark.parametrize("scenario", [SLOW, doctor()], ids=["slow manager", "doctor"])
def test_at_each_second_a_session_gets_on_or_says_what_it_waits_for(scenario: Scenario) -> None:
    """What is shown is at most a second old; something happened within two, or there is a wait."""
    looks = watched(scenario)
    assert len(looks) > 400
    idle = [
        look.second
        for before, look in zip(looks, looks[2:], strict=False)
        if not look.waiting_for and look.events == before.events
    ]
    assert idle == [looks[-1].second] or idle == []


def test_each_wait_says_who_has_to_do_what_since_when_and_until_when() -> None:
    looks = watched(SLOW)
    for look in looks:
        now = EPOCH.timestamp() + look.second
        for wait in look.waiting_for:
            assert wait.keys() == {"who", "what", "since", "until"}
            assert wait["who"]
            assert wait["what"]
            assert datetime.fromisoformat(wait["since"]).timestamp() <= now
            assert wait["until"], wait
            assert datetime.fromisoformat(wait["until"]).timestamp() >= now - 2


def test_the_waits_of_a_whole_session_read_well() -> None:
    said = []
    for look in watched(SLOW):
        said += [f"{wait['who']}: {wait['what']}" for wait in look.waiting_for]
    first = [*dict.fromkeys(said)]
    first[7:9] = sorted(first[7:9])  # the two moves begin at the same moment
    assert first == [
        "project app: reply to MAINTENANCE",
        "clock: the maintenance to begin",
        "project app: reply to SCALE_IN",
        "project app: reply to PREPARE_MAINTENANCE",
        "cloud: LIVE_MIGRATE of instance i-0 to compute-2",
        "host compute-1: action simulated",
        "project app: reply to PLANNED_MAINTENANCE",
        "cloud: LIVE_MIGRATE of instance i-0 to compute-1",
        "cloud: LIVE_MIGRATE of instance i-1 to compute-1",
        "host compute-2: action simulated",
        "project app: reply to MAINTENANCE_COMPLETE",
    ]


@pytest.mark.parametrize("scenario", [SLOW, doctor(), scene()], ids=["slow", "doctor", "small"])
def test_progress_never_goes_back_and_is_complete_only_at_the_end(scenario: Scenario) -> None:
    looks = watched(scenario)
    shown = [look.percent_done for look in looks]
    assert shown == sorted(shown)
    assert shown[0] == 0
    assert [look.state for look in looks if look.percent_done == 100] == ["MAINTENANCE_DONE"]


def told(ending: Ending) -> list[dict[str, Any]]:
    """The bodies of the messages to the administrator."""
    ours = [one for one in ending.sent if one.event_type is EventType.SESSION]
    return [dict(one.payload) for one in ours]


def test_each_change_of_the_state_is_told_from_the_first_to_the_last() -> None:
    ending = perform(doctor())
    assert [state for state, _ in groupby(body["state"] for body in told(ending))] == [
        "MAINTENANCE",
        "SCALE_IN",
        "PREPARE_MAINTENANCE",
        "START_MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "START_MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "START_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
        "MAINTENANCE_DONE",
    ]
    percent = [body["percent_done"] for body in told(ending)]
    assert percent == sorted(percent)
    assert (percent[0], percent[-1]) == (0, 100)
    assert ending.first("session.state", state="MAINTENANCE") == 0.0


def test_a_failure_is_told_with_its_reason() -> None:
    def unwilling(stage: Stage) -> None:
        script(stage, "doctor", PLANNED_MAINTENANCE=refuses)

    ending = perform(doctor(), prepare=unwilling, state="MAINTENANCE_FAILED")
    last = told(ending)[-1]
    assert last["state"] == "MAINTENANCE_FAILED"
    assert last["detail"] == ending.reason == "project doctor answered NACK_PLANNED_MAINTENANCE"
    assert last["percent_done"] < 100


def test_a_session_that_goes_on_tells_so() -> None:
    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        play.stage.actions.failing.clear()
        await play.go_on()

    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "no space left"

    ending = perform(scene(), story, prepare=broken)
    states = [(body["state"], body["detail"]) for body in told(ending)]
    at = [state for state, _ in states].index("MAINTENANCE_FAILED")
    assert states[at + 1] == ("START_MAINTENANCE", "continued")
    percent = [body["percent_done"] for body in told(ending)]
    assert percent == sorted(percent)


def test_a_failed_session_waits_for_nothing_but_an_administrator() -> None:
    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "no space left"

    looks = watched(scene(), state="MAINTENANCE_FAILED", prepare=broken)
    assert looks[-1].waiting_for == []
    assert {look.percent_done for look in looks if look.state == SessionState.MAINTENANCE_DONE} == (
        set()
    )


def test_the_timeline_tells_each_decision_with_its_reason() -> None:
    ending = perform(doctor())
    kinds = {entry.what for entry in ending.timeline}
    assert {
        "session.created",
        "session.state",
        "project.notified",
        "project.replied",
        "host.disabled",
        "host.draining",
        "host.empty",
        "host.in_maintenance",
        "host.maintained",
        "host.enabled",
        "instance.asked",
        "instance.move.started",
        "instance.move.finished",
        "action.started",
        "action.finished",
    } <= kinds
    assert all(entry.why for entry in ending.timeline)
    times = [entry.at for entry in ending.timeline]
    assert times == sorted(times)
