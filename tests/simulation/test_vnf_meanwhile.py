"""What happens, and is registered, while a session of workflow `vnf` goes on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from fenix.domain import (
    GroupConstraints,
    InstanceConstraints,
    InstanceStatus,
    MoveAction,
    UnmanagedPolicy,
)
from fenix.simulation.running import Stage
from fenix.store import constraints
from tests.simulation.people import gone_then, script, silent
from tests.simulation.play import Play, perform
from tests.simulation.scenes import action, host, instance, project, scene, unmanaged

SLOW = {"workflow": "vnf", "actions": [action(seconds=300)]}
ONE_AT_A_TIME = {"second_moves": 0.0, "parallel_hosts": 1}
HALF = {"vcpus": 6, "memory_mb": 6144, "disk_gb": 60}


def test_what_is_registered_for_new_instances_counts() -> None:
    async def story(play: Play) -> None:
        await play.event("host.maintenance.started")
        await asyncio.sleep(20)
        world = play.stage.world
        for name in ("n-1", "n-2"):
            new = replace(world.instances["i-2"], id=name, name=name, host="", group_id=None)
            world.create_instance(new, avoid="compute-1")

        def register(connection: Connection) -> None:
            constraints.put_group(connection, GroupConstraints("late", "app", recovery_time=60))
            for name in ("n-1", "n-2"):
                constraints.put_instance(
                    connection,
                    InstanceConstraints(name, "app", "late", name, lead_time=300),
                )

        await play.stage.database.write(register)

    ending = perform(scene(session=SLOW), story, **ONE_AT_A_TIME)
    first, second = (move for move in ending.moves if move.instance_id in ("n-1", "n-2"))
    assert first.finished_at
    assert second.started_at - first.finished_at >= timedelta(seconds=60)
    asked = [one for one in ending.messages if one.instance_ids in (("n-1",), ("n-2",))]
    assert all(
        one.reply_by - one.created_at == timedelta(seconds=300) for one in asked if one.reply_by
    )


def test_an_instance_that_was_started_meanwhile_is_moved_live() -> None:
    def stopped(stage: Stage) -> None:
        stage.world.instances["i-2"].status = InstanceStatus.STOPPED
        stage.world.touch()

    async def story(play: Play) -> None:
        await play.event("host.maintenance.started")
        await asyncio.sleep(20)
        play.stage.world.instances["i-2"].status = InstanceStatus.ACTIVE
        play.stage.world.touch()

    ending = perform(
        scene(
            instances=[instance("i-1", "compute-1", **HALF), instance("i-2", "compute-2", **HALF)],
            session=SLOW,
        ),
        story,
        prepare=stopped,
        **ONE_AT_A_TIME,
    )
    assert {move.action for move in ending.moves} == {MoveAction.LIVE_MIGRATE}


def test_an_instance_that_vanishes_while_it_is_asked_about_fails_nothing() -> None:
    vanishes = gone_then("i-1", silent)
    ending = perform(
        scene(session={"workflow": "vnf"}),
        prepare=lambda stage: script(
            stage, "app", PREPARE_MAINTENANCE=vanishes, PLANNED_MAINTENANCE=vanishes
        ),
    )
    assert [move.instance_id for move in ending.moves] == ["i-2"]


@pytest.mark.parametrize("lead_time", [0, 1])
def test_who_needs_no_notice_has_time_to_answer_nevertheless(lead_time: int) -> None:
    perform(
        scene(
            session={"workflow": "vnf"},
            instances=[
                instance("i-1", "compute-1", lead_time=lead_time),
                instance("i-2", "compute-2"),
            ],
        )
    )


def test_a_host_that_left_the_cloud_before_the_work_began_is_named() -> None:
    async def story(play: Play) -> None:
        await asyncio.sleep(100)
        del play.stage.world.hosts["compute-3"]
        play.stage.world.touch()

    ending = perform(
        scene(session={"workflow": "vnf", "notice_seconds": 1000}),
        story,
        state="MAINTENANCE_FAILED",
    )
    assert ending.session
    assert ending.session.reason == "host compute-3 is not in the cloud any more"


def test_instances_of_a_project_that_comes_later_and_can_not_be_asked_are_not_moved() -> None:
    ending = perform(
        scene(
            projects=[project("app"), unmanaged("other")],
            instances=[instance(f"i-{n}", f"compute-{1 + n // 3}") for n in range(6)],
            faults=[{"appears": instance("new", "", project="other"), "at": 5.5}],
            session=SLOW | {"workflow": "vnf"},
        ),
        unmanaged_projects=UnmanagedPolicy.REFUSE,
        state="MAINTENANCE_FAILED",
    )
    assert "no channel reaches" in ending.reason
    assert "new" not in [move.instance_id for move in ending.moves]


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_all_of_a_projects_instances_are_named_where_only_some_hosts_are_meant(
    workflow: str,
) -> None:
    ending = perform(scene(session={"workflow": workflow, "hosts": ["compute-1"]}))
    told = {message.state: message.instance_ids for message in ending.messages}
    assert told["MAINTENANCE"] == ("i-1", "i-2")
    assert told["MAINTENANCE_COMPLETE"] == ("i-1", "i-2")


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_a_host_whose_work_failed_in_an_earlier_attempt_only_is_enabled(workflow: str) -> None:
    def broken(stage: Stage) -> None:
        stage.actions.failing["compute-3"] = "the new kernel does not boot"

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        play.stage.actions.failing.clear()
        await play.go_on()
        await play.event("host.maintenance.started", host="compute-3")
        await play.delete()

    ending = perform(scene(session={"workflow": workflow}), story, prepare=broken, state=None)
    assert ending.disabled() == set()


def test_after_a_failure_default_makes_a_round_anew() -> None:
    """Also where the one that failed had emptied the only host with room."""
    full = {"vcpus": 4, "memory_mb": 4096, "disk_gb": 40}

    async def story(play: Play) -> None:
        await play.event("session.state", state="MAINTENANCE_FAILED")
        await play.closed()
        world = play.stage.world
        for name in ("compute-1", "compute-2"):
            world.hosts[name].enabled = False
        world.create_instance(replace(world.instances["i-1"], id="new", name="new", host=""))
        for name in ("compute-1", "compute-2"):
            world.hosts[name].enabled = True
        world.touch()
        await play.go_on("START_MAINTENANCE")

    perform(
        scene(
            hosts=[host("compute-1"), host("compute-2"), host("spare")],
            instances=[instance("i-1", "compute-1", **full), instance("i-2", "compute-2", **full)],
            faults=[{"instance": "i-2", "move": "fails", "times": 3}],
        ),
        story,
    )
