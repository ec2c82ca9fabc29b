"""A failed session goes on where it failed, and what was done before is not done again."""

from collections import Counter
from collections.abc import Callable

import pytest

from fenix.domain import Conflict, HostState
from fenix.simulation.running import Stage
from tests.simulation.people import refuses, script, silent
from tests.simulation.play import Ending, Play, Story, perform
from tests.simulation.scenes import doctor, host, instance, scene

Change = Callable[[Stage], None]


def after_a_failure(repair: Change, state: str | None = None) -> Story:
    """An administrator repairs what was wrong and lets the session go on."""

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        repair(play.stage)
        await play.go_on(state)

    return story


def check_once(ending: Ending) -> None:
    """Nothing that had succeeded was done again."""
    done = Counter(
        (event["instance"], event["host"]) for event in ending.of("instance.move.finished", ok=True)
    )
    assert set(done.values()) == {1}
    worked = Counter(event["host"] for event in ending.of("host.maintenance.finished", ok=True))
    assert set(worked.values()) == {1}
    assert {one.state for one in ending.hosts.values()} == {HostState.MAINTAINED}
    assert ending.disabled() == set()
    continued = [entry for entry in ending.timeline if entry.what == "session.continued"]
    assert len(continued) == 1


@pytest.mark.parametrize(
    "state",
    ["MAINTENANCE", "SCALE_IN", "PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"],
)
@pytest.mark.parametrize("reaction", [refuses, silent])
def test_after_a_refusal_or_silence_in_each_state(state: str, reaction: object) -> None:
    def obstinate(stage: Stage) -> None:
        usual[0] = stage.channel.managers["doctor"]
        script(stage, "doctor", **{state: reaction})  # type: ignore[arg-type]

    def persuaded(stage: Stage) -> None:
        stage.channel.managers["doctor"] = usual[0]

    usual: list = [None]  # type: ignore[type-arg]
    ending = perform(doctor(), after_a_failure(persuaded), prepare=obstinate)
    check_once(ending)
    assert ending.told("doctor").count(state) >= 2


def test_after_a_refusal_at_the_very_end() -> None:
    def obstinate(stage: Stage) -> None:
        usual[0] = stage.channel.managers["doctor"]
        script(stage, "doctor", MAINTENANCE_COMPLETE=refuses)

    def persuaded(stage: Stage) -> None:
        stage.channel.managers["doctor"] = usual[0]

    usual: list = [None]  # type: ignore[type-arg]
    check_once(perform(doctor(), after_a_failure(persuaded), prepare=obstinate))


@pytest.mark.parametrize("where", ["START_MAINTENANCE", "MAINTENANCE"])
def test_after_the_work_on_a_host_failed(where: str) -> None:
    """Also when it goes on at the beginning."""

    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "the new kernel does not boot"

    def repaired(stage: Stage) -> None:
        stage.actions.failing.clear()

    ending = perform(scene(), after_a_failure(repaired, where), prepare=broken)
    check_once(ending)
    told = [one.state for one in ending.sent if one.payload.get("host") == "compute-1"]
    assert told == [
        "IN_MAINTENANCE",
        "MAINTENANCE_FAILED",
        "IN_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
    ]


@pytest.mark.parametrize("kind", ["fails", "refused"])
def test_after_moves_failed_three_times(kind: str) -> None:
    faults = [{"instance": "i-1", "move": kind, "times": 3}]
    ending = perform(scene(faults=faults), after_a_failure(lambda stage: None))
    check_once(ending)
    assert len([one for one in ending.moves if one.instance_id == "i-1"]) == 4


def test_after_an_instance_was_in_error() -> None:
    def repair(stage: Stage) -> None:
        stage.world.instances["i-1"].status = type(stage.world.instances["i-1"].status)("ACTIVE")
        stage.world.touch()

    faults = [{"instance": "i-1", "move": "error"}]
    check_once(perform(scene(faults=faults), after_a_failure(repair)))


def test_after_a_dead_host_was_repaired() -> None:
    def repair(stage: Stage) -> None:
        stage.world.set_host_up("compute-3", True)

    faults = [{"host": "compute-3", "at": 20}]
    check_once(perform(scene(faults=faults), after_a_failure(repair)))


def test_after_the_cloud_was_too_full() -> None:
    """A new host comes that is not part of the session."""

    def extend(stage: Stage) -> None:
        stage.world.hosts["spare"].enabled = True
        stage.world.touch()

    def closed(stage: Stage) -> None:
        stage.world.hosts["spare"].enabled = False

    full = {"vcpus": 8}
    ending = perform(
        scene(
            hosts=[host("compute-1"), host("compute-2"), host("spare")],
            instances=[instance(f"i-{n}", f"compute-{n}", **full) for n in (1, 2)],
            session={"hosts": ["compute-1", "compute-2"]},
        ),
        after_a_failure(extend),
        prepare=closed,
    )
    check_once(ending)


def test_it_may_fail_and_go_on_several_times() -> None:
    async def story(play: Play) -> None:
        for name in ("compute-3", "compute-1"):
            await play.event("host.maintenance.finished", host=name, ok=False)
            await play.closed()
            del play.stage.actions.failing[name]
            await play.go_on()

    def broken(stage: Stage) -> None:
        stage.actions.failing.update(dict.fromkeys(("compute-1", "compute-3"), "no space left"))

    ending = perform(scene(), story, prepare=broken)
    assert ending.session is not None
    assert ending.session.reason is None
    assert [one.state for one in ending.hosts.values()] == [HostState.MAINTAINED] * 3
    states = [event["state"] for event in ending.of("session.state")]
    assert states.count("MAINTENANCE_FAILED") == 2
    assert states[-1] == "MAINTENANCE_DONE"


@pytest.mark.parametrize("when", ["under way", "done"])
def test_only_a_failed_session_goes_on(when: str) -> None:
    async def story(play: Play) -> None:
        if when == "done":
            await play.closed()
        with pytest.raises(Conflict, match="it has not failed"):
            await play.go_on("MAINTENANCE")

    perform(scene(), story)


def test_it_goes_on_only_once_at_a_time() -> None:
    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        play.stage.actions.failing.clear()
        await play.go_on()
        with pytest.raises(Conflict, match="already to be continued"):
            await play.go_on("MAINTENANCE")

    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "no space left"

    perform(scene(), story, prepare=broken)
