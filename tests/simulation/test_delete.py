"""A session can be deleted at any moment: all is settled, and every host is enabled again."""

import asyncio
from datetime import datetime, timedelta

import pytest

from fenix.domain import Conflict, HostState, MoveState, NotFound
from fenix.engine import intake
from fenix.simulation.building import session_request
from fenix.simulation.running import Stage
from fenix.store import purge
from tests.simulation.people import refuses, script
from tests.simulation.play import Ending, Play, Story, create, perform
from tests.simulation.scenes import action, doctor, host, instance, scene


def deleted_when(kind: str, **keys: str) -> Story:
    async def story(play: Play) -> None:
        await play.event(kind, **keys)
        await play.delete()

    return story


def last_words(ending: Ending) -> list[str]:
    """What projects and administrators were told after the deletion, in its order."""
    (asked,) = [one.at for one in ending.timeline if one.what == "session.delete_requested"]
    told = sorted(ending.messages, key=lambda message: message.sequence)
    return [message.state for message in told if message.created_at >= asked]


MOMENTS = [
    ("session.state", {"state": "MAINTENANCE"}),
    ("project.replied", {"state": "ACK_MAINTENANCE"}),
    ("project.notified", {"state": "SCALE_IN"}),
    ("project.replied", {"state": "ACK_SCALE_IN"}),
    ("project.notified", {"state": "PREPARE_MAINTENANCE"}),
    ("instance.move.started", {"instance": "i-00001"}),
    ("instance.move.finished", {"instance": "i-00001"}),
    ("host.maintenance.started", {}),
    ("project.notified", {"state": "PLANNED_MAINTENANCE"}),
    ("project.notified", {"state": "MAINTENANCE_COMPLETE"}),
]


@pytest.mark.parametrize(("kind", "keys"), MOMENTS)
def test_a_deletion_settles_everything(kind: str, keys: dict[str, str]) -> None:
    ending = perform(doctor(), deleted_when(kind, **keys), state=None)
    assert ending.disabled() == set()
    assert not [one for one in ending.hosts.values() if one.disabled_by_us]
    unsettled = (HostState.DRAINING, HostState.EMPTY, HostState.IN_MAINTENANCE)
    assert not [one for one in ending.hosts.values() if one.state in unsettled]
    asked = "SCALE_IN" in ending.told("doctor")
    assert ending.told("doctor").count("MAINTENANCE_COMPLETE") == int(asked)
    if asked:
        assert len(ending.stage.world.instances) == 6, "all that were scaled in are back"
    states = [event["state"] for event in ending.of("session.state")]
    assert states.count("MAINTENANCE_FAILED") == 1
    assert states[-1] == "MAINTENANCE_FAILED"


@pytest.mark.parametrize(
    ("kind", "keys"),
    [("instance.move.started", {}), ("host.maintenance.started", {})],
)
def test_what_is_under_way_is_waited_for(kind: str, keys: dict[str, str]) -> None:
    ending = perform(doctor(), deleted_when(kind, **keys), state=None)
    ended = kind.replace("started", "finished")
    assert len(ending.of(kind)) == len(ending.of(ended))
    failed = ending.first("session.state", state="MAINTENANCE_FAILED")
    assert failed >= ending.of(ended)[-1]["t"]
    assert {one.state for one in ending.moves} == {MoveState.DONE}


def test_a_purge_counts_from_the_deletion() -> None:
    month = 30 * 86400

    async def story(play: Play) -> None:
        await play.closed()
        await asyncio.sleep(month)
        await play.delete()

    ending = perform(doctor(), story, state=None)
    (asked,) = [one.at for one in ending.timeline if one.what == "session.delete_requested"]

    def purgeable(moment: datetime) -> list[str]:
        with ending.stage.database.connect() as connection:
            return purge.deleted_before(connection, moment)

    assert purgeable(asked) == []
    assert purgeable(asked + timedelta(hours=1)) == [ending.session_id]


def test_what_was_only_agreed_is_not_begun() -> None:
    ending = perform(
        scene(), deleted_when("project.replied", state="ACK_PLANNED_MAINTENANCE"), state=None
    )
    assert not ending.of("instance.move.started")


def test_who_refused_to_scale_in_is_not_told_to_scale_out() -> None:
    def unwilling(stage: Stage) -> None:
        script(stage, "doctor", SCALE_IN=refuses)

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        await play.delete()

    ending = perform(doctor(), story, prepare=unwilling, state=None)
    assert "MAINTENANCE_COMPLETE" not in ending.told("doctor")


def test_a_failed_session_that_is_deleted_lets_the_projects_scale_out() -> None:
    def unwilling(stage: Stage) -> None:
        script(stage, "doctor", PLANNED_MAINTENANCE=refuses)

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        await play.delete()

    ending = perform(doctor(), story, prepare=unwilling, state=None)
    assert ending.told("doctor")[-1] == "MAINTENANCE_COMPLETE"
    assert len(ending.stage.world.instances) == 6


def test_a_session_that_is_done_is_only_forgotten() -> None:
    async def story(play: Play) -> None:
        await play.closed()
        await play.delete()

    ending = perform(doctor(), story, state=None)
    assert last_words(ending) == []
    assert ending.told("doctor").count("MAINTENANCE_COMPLETE") == 1


def test_a_deletion_while_a_failure_is_wound_up_comes_afterwards() -> None:
    """The failure waits for the host that takes longer."""

    async def story(play: Play) -> None:
        await play.event("host.maintenance.finished", host="compute-1", ok=False)
        await play.delete()

    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "no space left"

    ending = perform(scene(), story, prepare=broken, state=None)
    assert ending.hosts["compute-1"].state is HostState.FAILED
    assert ending.disabled() == {"compute-1"}


def test_a_deletion_gives_a_stuck_move_its_time_and_no_more() -> None:
    faults = [{"instance": "i-1", "move": "stuck"}]
    ending = perform(
        scene(faults=faults),
        deleted_when("instance.move.started", instance="i-1"),
        move_timeout=300.0,
        state=None,
    )
    started = ending.first("instance.move.started", instance="i-1")
    assert ending.first("session.state", state="MAINTENANCE_FAILED") == started + 300


def test_its_hosts_are_free_for_another_session() -> None:
    async def story(play: Play) -> None:
        stage = play.stage
        request = session_request(stage.scenario, None, stage.now())
        await play.event("host.maintenance.started")
        with pytest.raises(Conflict, match="session simulation has not ended"):
            await create(stage, request, "second")
        await play.delete()
        await play.closed()
        await create(stage, request, "second")
        await intake.delete_session(stage.database, "second", stage.now())

    perform(scene(), story, state=None)


def test_deleting_twice_is_no_error_and_afterwards_it_is_unknown() -> None:
    async def story(play: Play) -> None:
        await play.event("host.maintenance.started")
        await play.delete()
        await play.delete()
        await play.closed()
        with pytest.raises(NotFound):
            await intake.delete_session(play.stage.database, play.session_id, play.stage.now())

    ending = perform(scene(), story, state=None)
    asked = [one for one in ending.timeline if one.what == "session.delete_requested"]
    assert len(asked) == 1


def test_a_session_is_deleted_before_any_engine_has_seen_it() -> None:
    async def start(play: Play) -> None:
        await asyncio.sleep(10)
        play.start("engine-1")

    def late(play: Play) -> None:
        play.running["late"] = play.tasks.create_task(start(play))

    async def story(play: Play) -> None:
        await play.delete()

    ending = perform(scene(), story, cast=late, state=None)
    assert not ending.of("project.notified")


def test_long_work_on_a_host_is_seen_through() -> None:
    ending = perform(
        scene(
            hosts=[host("compute-1")],
            instances=[],
            session={"actions": [action(seconds=5000)]},
        ),
        deleted_when("host.maintenance.started"),
        state=None,
    )
    assert ending.first("host.enabled") == 5005.0
    told = [one.state for one in ending.sent if one.payload.get("host") == "compute-1"]
    assert told == ["IN_MAINTENANCE", "MAINTENANCE_COMPLETE"]


def test_instances_may_come_meanwhile() -> None:
    """The deletion does not look at what is on the hosts."""
    ending = perform(
        scene(instances=[instance("i-1", "compute-1")]),
        deleted_when("instance.move.finished"),
        state=None,
    )
    assert ending.places()["i-1"] != "compute-1"
