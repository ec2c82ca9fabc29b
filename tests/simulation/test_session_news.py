"""`maintenance.session` tells of every change, with percent, and always of the end."""

from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise
from typing import Any

import pytest

from fenix.domain import EventType, HostState, SessionState
from fenix.engine.progress import WEIGHT
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import doctor, host, scene


def news(ending: Ending) -> list[dict[str, Any]]:
    """The payloads that the administrator got."""
    return [dict(one.payload) for one in ending.sent if one.event_type is EventType.SESSION]


def states(found: Sequence[dict[str, Any]]) -> list[str]:
    """The states that were told of, each stay in one once."""
    return [state for state, _ in groupby(one["state"] for one in found)]


def progress(ending: Ending) -> list[int]:
    """Each percentage that was reached through hosts, by the timeline."""
    hosts = dict.fromkeys(ending.hosts, HostState.PENDING)
    reached = [0]
    for entry in ending.timeline:
        kind, _, state = entry.what.partition(".")
        if kind == "host" and entry.host in hosts and state.upper() in set(HostState):
            hosts[entry.host] = HostState(state.upper())
            reached.append(
                min(99, int(100 * sum(WEIGHT[one] for one in hosts.values()) / len(hosts)))
            )
    return sorted({*accumulate(reached, max)})


def changes(ending: Ending) -> list[str]:
    """The states that the session was in, by its timeline."""
    kinds = ("session.state", "session.continued")
    return [
        entry.why.split(":")[0].removeprefix("at ")
        for entry in ending.timeline
        if entry.what in kinds
    ]


def check(found: Sequence[dict[str, Any]], last: str) -> None:
    """What holds for all sessions."""
    percents = [one["percent_done"] for one in found]
    assert percents == sorted(percents)
    assert all(isinstance(one, int) and 0 <= one <= 100 for one in percents)
    assert found[-1]["state"] == last
    numbers = [one["sequence"] for one in found]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_of_a_session_that_ends_well(workflow: str) -> None:
    ending = perform(scene(session={"workflow": workflow}))
    found = news(ending)
    check(found, "MAINTENANCE_DONE")
    assert states(found) == changes(ending)
    assert found[-1]["percent_done"] == 100


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_of_each_percent_once(workflow: str) -> None:
    ending = perform(scene(session={"workflow": workflow}))
    found = news(ending)
    told = [(one["state"], one["percent_done"]) for one in found]
    assert all(one != other for one, other in pairwise(told))
    assert [percent for percent, _ in groupby(percent for _, percent in told)] == [
        *progress(ending),
        100,
    ]
    assert "host compute-1: MAINTAINED" in [one["detail"] for one in found]


def test_of_many_hosts_no_more_often_than_there_are_percents() -> None:
    hosts = [host(f"compute-{number}") for number in range(150)]
    found = news(perform(scene(hosts=hosts, instances=[], groups=[], projects=[])))
    check(found, "MAINTENANCE_DONE")
    assert 60 < len(found) <= 100 + len(states(found))


def test_of_one_that_fails_and_goes_on() -> None:
    """A manager that refuses at first."""

    scenario = scene(
        projects=[{"id": "app", "manager": {"reply_seconds": 1}}],
        faults=[{"project": "app", "reply": "nack", "state": "MAINTENANCE", "times": 1}],
    )

    async def again(play: Play) -> None:
        await play.closed()
        assert (await play.session()).state is SessionState.MAINTENANCE_FAILED
        await play.go_on()

    ending = perform(scenario, again)
    found = news(ending)
    check(found, "MAINTENANCE_DONE")
    assert states(found) == changes(ending)
    failed = [one["state"] for one in found].index("MAINTENANCE_FAILED")
    assert "app" in found[failed]["detail"]
    assert found[failed + 1]["detail"] == "continued"


def test_of_one_that_fails() -> None:
    scenario = scene(
        projects=[{"id": "app", "manager": {"reply_seconds": 1}}],
        faults=[{"project": "app", "reply": "silent", "state": "MAINTENANCE", "times": 9}],
    )
    ending = perform(scenario, state="MAINTENANCE_FAILED")
    found = news(ending)
    check(found, "MAINTENANCE_FAILED")
    assert states(found) == changes(ending)
    assert ending.reason in found[-1]["detail"]


@pytest.mark.parametrize("state", ["MAINTENANCE", "SCALE_IN", "START_MAINTENANCE"])
def test_of_one_that_is_deleted(state: str) -> None:
    """However far it is; who listens must not wait for its end for ever."""

    async def story(play: Play) -> None:
        await play.event("session.state", state=state)
        await play.delete()

    found = news(perform(doctor(), story, state=None))
    check(found, "MAINTENANCE_FAILED")
    assert found[-1]["detail"] == "deleted by an administrator"


def test_of_one_that_is_deleted_after_its_end() -> None:
    async def story(play: Play) -> None:
        await play.closed()
        await play.delete()

    check(news(perform(scene(), story, state=None)), "MAINTENANCE_DONE")
