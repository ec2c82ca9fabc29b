"""What happens to an instance is what its manager chose, else what its constraints say."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from fenix.clouds.simulated import SimulatedCloud
from fenix.domain import InstanceState, InstanceStatus, Message, MoveAction, SilentPolicy
from fenix.simulation.managers import Answer
from fenix.simulation.running import Stage
from fenix.store import constraints
from tests.simulation.people import agrees, chooses, say, script, silent
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import instance, scene, unmanaged
from tests.simulation.weather import AroundCloud

LIVE, COLD, OWN = MoveAction.LIVE_MIGRATE, MoveAction.MIGRATE, MoveAction.OWN_ACTION


def one_on_each(**fields: object) -> list[dict[str, object]]:
    return [instance("i-1", "compute-1", **fields), instance("i-2", "compute-2")]


def actions(ending: Ending) -> dict[str, str]:
    """The action of each move that was made."""
    return {event["instance"]: event["action"] for event in ending.of("instance.move.started")}


@pytest.mark.parametrize(("chosen", "seconds"), [(LIVE, 10), (COLD, 30)])
def test_a_reply_chooses_the_action(chosen: MoveAction, seconds: float) -> None:
    def choose(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=chooses(i_1=chosen, i_2=LIVE))

    ending = perform(scene(), prepare=choose)
    assert actions(ending) == {"i-1": chosen, "i-2": LIVE}
    moved = ending.first("instance.move.finished", instance="i-1")
    assert moved - ending.first("instance.move.started", instance="i-1") == seconds


@pytest.mark.parametrize("registered", [LIVE, COLD])
def test_without_a_choice_the_constraints_say_it(registered: MoveAction) -> None:
    def agree(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=agrees)

    ending = perform(scene(instances=one_on_each(migration_type=registered)), prepare=agree)
    assert actions(ending) == {"i-1": registered, "i-2": LIVE}


def test_without_choice_and_constraints_it_is_moved_live() -> None:
    def forget(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=agrees)
        with stage.database.connect(write=True) as connection, connection.begin():
            constraints.delete_instance(connection, "i-1")

    ending = perform(scene(instances=one_on_each(migration_type=COLD)), prepare=forget)
    assert actions(ending)["i-1"] == LIVE


class MovesStopped(AroundCloud):
    """Migrates stopped instances, as clouds do; the simulated one moves only active ones."""

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        if action is COLD:
            assert isinstance(self.inner, SimulatedCloud)
            self.inner.world.instances[instance_id].status = InstanceStatus.ACTIVE
        await self.inner.start_move(instance_id, action, target)


def test_a_stopped_instance_is_migrated_cold() -> None:
    def stop(stage: Stage) -> None:
        stage.world.instances["i-1"].status = InstanceStatus.STOPPED

    ending = perform(
        scene(), prepare=stop, around=lambda tools: replace(tools, cloud=MovesStopped(tools.cloud))
    )
    assert actions(ending) == {"i-1": COLD, "i-2": LIVE}


def test_an_own_action_is_recognised_by_its_name() -> None:
    ending = perform(scene(instances=one_on_each(migration_type=OWN)))
    assert actions(ending) == {"i-2": LIVE}
    (built,) = ending.of("instance.created")
    record = ending.instances["i-1"]
    assert (record.state, record.action) == (InstanceState.GONE, OWN)
    assert record.replaced_by == built["instance"] != "i-1"
    assert ending.stage.world.instances[built["instance"]].name == "name-of-i-1"
    assert built["host"] in record.why
    done = [message for message in ending.messages if message.state == "INSTANCE_ACTION_DONE"]
    assert [message.instance_ids for message in done] == [("i-2",)]


def after_the_ack(
    act: Callable[[Stage], Awaitable[None]],
) -> Callable[[Stage, Message, Answer], Awaitable[None]]:
    """A manager that answers OWN_ACTION for all and acts afterwards."""

    async def react(stage: Stage, message: Message, answer: Answer) -> None:
        chosen = {ident: OWN if ident == "i-1" else LIVE for ident in message.instance_ids}
        await say(stage, message, answer, "ACK_PLANNED_MAINTENANCE", instance_actions=chosen)
        await act(stage)

    return react


async def remove(stage: Stage) -> None:
    stage.world.delete_instance("i-1")


async def rebuild(stage: Stage) -> None:
    old = stage.world.instances["i-1"]
    stage.world.delete_instance("i-1")
    stage.world.create_instance(replace(old, id="i-1-new", host=""))


async def migrate(stage: Stage) -> None:
    stage.world.start_move("i-1", LIVE, None)


@pytest.mark.parametrize(
    ("act", "state", "why"),
    [
        (remove, InstanceState.GONE, "its manager removed it"),
        (rebuild, InstanceState.GONE, "its manager built i-1-new"),
        (migrate, InstanceState.MOVED, "its manager moved it"),
    ],
)
def test_an_own_action_may_come_after_the_ack(
    act: Callable[[Stage], Awaitable[None]], state: InstanceState, why: str
) -> None:
    def slow(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=after_the_ack(act))

    ending = perform(scene(), prepare=slow)
    assert ending.instances["i-1"].state is state
    assert ending.instances["i-1"].why.startswith(why)
    assert not [one for one in ending.moves if one.instance_id == "i-1"]


def test_an_own_action_that_never_comes_fails_the_session() -> None:
    def forgetful(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=chooses(i_1=OWN, i_2=LIVE))

    ending = perform(scene(), prepare=forgetful, move_timeout=100.0, state="MAINTENANCE_FAILED")
    assert "project app chose OWN_ACTION for instance i-1" in ending.reason
    assert "host compute-1 after 100 s" in ending.reason
    assert ending.disabled() == set()
    assert ending.first("session.state", state="MAINTENANCE_FAILED") >= 165.0


def test_nobody_does_the_own_action_of_a_project_without_a_manager() -> None:
    ending = perform(scene(projects=[unmanaged("app")], instances=one_on_each(migration_type=OWN)))
    assert actions(ending) == {"i-1": LIVE, "i-2": LIVE}


def test_nobody_does_the_own_action_of_a_silent_manager() -> None:
    def mute(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=silent)

    ending = perform(
        scene(instances=one_on_each(migration_type=OWN)),
        prepare=mute,
        silent_projects=SilentPolicy.PROCEED,
    )
    assert actions(ending) == {"i-1": LIVE, "i-2": LIVE}


def test_each_move_is_told_once() -> None:
    ending = perform(scene())
    done = [message for message in ending.messages if message.state == "INSTANCE_ACTION_DONE"]
    assert sorted(message.instance_ids for message in done) == [("i-1",), ("i-2",)]
