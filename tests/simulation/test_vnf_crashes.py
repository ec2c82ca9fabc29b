"""A session of workflow `vnf` survives the death of its engine at any step.

Which host comes first after a restart may differ, since decisions are made anew from the cloud as
it is. So what must be the same is not the moves: the end is, each move and action is done once,
and each message has one id (`perform` checks the invariants, limits of groups included).
"""

import random
from collections import Counter
from functools import cache

import pytest

from fenix.simulation.crashes import Gate
from fenix.simulation.scenario import Scenario
from tests.simulation.crashing import Crash, crash_points, perform_with_crashes
from tests.simulation.play import Ending
from tests.simulation.scenes import host, instance, project, scene, unmanaged

SAMPLE, CHUNKS = 7, 8
"""One in so many points is tried here; `fenix soak` tries others all the time."""


@cache
def telco() -> Scenario:
    """Six hosts: an active/standby pair, a group that recovers slowly, and single instances."""
    small = {"vcpus": 2, "memory_mb": 2048, "disk_gb": 10}
    return scene(
        hosts=[host(f"compute-{number}") for number in range(1, 7)],
        projects=[project("app", reply_seconds=2), unmanaged("other")],
        groups=[
            {"id": "pair", "project": "app", "anti_affinity": True, "recovery_time": 20},
            {"id": "pool", "project": "app", "max_impacted_members": 2, "recovery_time": 30},
        ],
        instances=[
            instance("active", "compute-1", group="pair", **small),
            instance("standby", "compute-2", group="pair", **small),
            *(
                instance(f"pool-{number}", f"compute-{number}", group="pool", **small)
                for number in range(1, 6)
            ),
            instance("cold", "compute-3", migration_type="MIGRATE", **small),
            instance("own", "compute-4", migration_type="OWN_ACTION", **small),
            instance("single", "compute-5", project="other", **small),
        ],
        session={"workflow": "vnf"},
    )


@cache
def undisturbed() -> Gate:
    """What the engine does when nothing goes wrong."""
    gates, ending = perform_with_crashes(telco())
    check_deeds(ending)
    return gates[0]


def check_deeds(ending: Ending) -> None:
    """Everything was done, and nothing twice."""
    assert set(ending.stage.actions.starts.values()) == {1}
    assert len(ending.stage.actions.starts) == 6
    asked = Counter(
        (event["instances"][0], event["state"], event["t"])
        for event in ending.of("project.notified")
        if event["state"] in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")
    )
    assert max(asked.values()) == 1
    done = Counter(
        one.instance_ids for one in ending.messages if one.state == "INSTANCE_ACTION_DONE"
    )
    moves = Counter((event["instance"],) for event in ending.of("instance.move.started"))
    moves.pop(("single",))
    done.pop(("single",), None)
    assert done == moves


def sampled() -> list[Crash]:
    """Some of all moments at which the engine may die, always the same."""
    points = list(crash_points(undisturbed()))
    random.Random(len(points)).shuffle(points)
    return points[::SAMPLE]


def test_there_are_many_steps_of_each_kind() -> None:
    effects = set(undisturbed().effects)
    assert {"write", "message", "action", "cloud.inventory", "cloud.start_move"} < effects
    assert {"cloud.disable_host", "cloud.enable_host", "cloud.confirm_move"} < effects


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_crash_at_any_step_does_no_harm(chunk: int) -> None:
    found = []
    for crash in sampled()[chunk::CHUNKS]:
        try:
            check_deeds(perform_with_crashes(telco(), crash)[1])
        except Exception as error:
            found.append(f"{crash}: {error!r}")
    assert found == []


@pytest.mark.parametrize("seed", range(4))
def test_engines_may_die_one_after_the_other(seed: int) -> None:
    chance = random.Random(seed)
    most = len(undisturbed().effects)
    crashes = [Crash(chance.randint(1, most // 3), chance.random() < 0.5) for _ in range(4)]
    check_deeds(perform_with_crashes(telco(), *crashes)[1])
