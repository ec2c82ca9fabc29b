"""What workflow `vnf` makes of each constraint, seen from what truly happens."""

from collections import Counter
from typing import Any

import pytest

from fenix.domain import (
    GroupConstraints,
    InstanceConstraints,
    MoveAction,
    SessionState,
)
from fenix.simulation.running import Stage
from fenix.store import constraints
from tests.simulation.play import Ending, Play, perform
from tests.simulation.scenes import host, instance, project, unmanaged
from tests.simulation.test_vnf_managers import back, vnf


def forget(*idents: str) -> Any:
    """The constraints of instances or groups were never registered."""

    def prepare(stage: Stage) -> None:
        with stage.database.connect(write=True) as connection, connection.begin():
            for ident in idents:
                constraints.delete_instance(connection, ident)
                constraints.delete_group(connection, ident)

    return prepare


def most(ending: Ending, *subjects: str) -> int:
    """How many moves were under way at one time; only those from or to a host, if named."""
    now, peak = 0, 0
    started: dict[str, bool] = {}
    for event in ending.events:
        if event["event"] == "instance.move.started":
            counts = not subjects or bool({event["source"], event["target"]} & set(subjects))
            started[event["instance"]] = counts
            now += counts
            peak = max(peak, now)
        elif event["event"] == "instance.move.finished":
            now -= started[event["instance"]]
    return peak


MANY = {
    "hosts": [host(f"compute-{number}") for number in (1, 2, 3, 4)],
    "instances": [instance(f"i-{n}", "compute-1") for n in range(4)],
    "session": {"hosts": ["compute-1"]},
}
"""Four instances on the one host of the session."""


def test_constraints_of_instances_and_groups_that_are_gone_do_no_harm() -> None:
    def stale(stage: Stage) -> None:
        with stage.database.connect(write=True) as connection, connection.begin():
            constraints.put_instance(
                connection, InstanceConstraints("gone", "app", "gone-group", "gone")
            )
            constraints.put_group(connection, GroupConstraints("gone-group", "app", "gone-group"))

    ending = perform(vnf(**MANY), prepare=stale)
    assert len(ending.moves) == 4


def test_without_constraints_the_sessions_defaults_hold() -> None:
    """One member of a group at a time, and the default notice."""
    group = {"id": "pool", "project": "app", "max_impacted_members": 4}
    scenario = vnf(
        **MANY
        | {
            "groups": [group],
            "instances": [instance(f"i-{n}", "compute-1", group="pool") for n in range(4)],
        }
    )
    ids = [f"i-{n}" for n in range(4)]
    assert most(perform(scenario)) == 4
    assert most(perform(scenario, prepare=forget("pool", *ids))) == 1
    assert most(perform(scenario, prepare=forget("pool", *ids), max_impacted_members=2)) == 2


def test_max_instances_per_host() -> None:
    group = {"id": "pool", "project": "app", "max_instances_per_host": 2, "max_impacted_members": 4}
    instances = [instance(f"i-{n}", f"compute-{1 + n // 2}", group="pool") for n in range(4)]
    ending = perform(vnf(hosts=MANY["hosts"], groups=[group], instances=instances))
    assert max(Counter(ending.places().values()).values()) == 2


def test_parallel_migrations_in_the_cloud() -> None:
    ending = perform(vnf(**MANY, limits={"parallel_migrations": 2}))
    assert most(ending) == 2


def test_parallel_migrations_on_a_host() -> None:
    ending = perform(vnf(**MANY, limits={"parallel_migrations_per_host": 3}))
    assert most(ending, "compute-1") == 3


@pytest.mark.parametrize("kind", ["MIGRATE", "LIVE_MIGRATE", "OWN_ACTION"])
def test_the_migration_type_holds_where_nobody_can_be_asked(kind: str) -> None:
    """But for OWN_ACTION, which nobody would do."""
    ending = perform(
        vnf(
            projects=[unmanaged("app")],
            instances=[instance("i-1", "compute-1", migration_type=kind)],
        )
    )
    expected = MoveAction.MIGRATE if kind == "MIGRATE" else MoveAction.LIVE_MIGRATE
    assert {one.action for one in ending.moves} == {expected}


def test_a_failed_session_goes_on_with_the_hosts_that_are_left() -> None:
    async def story(play: Play) -> None:
        await play.closed()
        assert (await play.session()).state == SessionState.MAINTENANCE_FAILED
        play.stage.world.faults.clear()
        await play.go_on()

    ending = perform(
        vnf(
            hosts=[host(f"compute-{number}") for number in (1, 2, 3)],
            projects=[project()],
            faults=[{"instance": "i-2", "move": "fails", "times": 3}],
            limits={"parallel_hosts": 1},
        ),
        story,
    )
    assert set(back(ending)) == {"compute-1", "compute-2", "compute-3"}
    assert set(ending.stage.actions.starts.values()) == {1}
