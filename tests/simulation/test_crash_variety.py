"""Crashes at random steps of a session in which nearly everything happens that can happen."""

import random
from functools import cache

import pytest

from fenix.domain import ActionSpec, ActionType
from fenix.simulation.crashes import Gate
from fenix.simulation.running import Stage
from tests.chunks import chunks
from tests.simulation.crashing import Crash, Deeds, crash_points, failures, perform_with_crashes
from tests.simulation.people import agrees, script
from tests.simulation.scenes import host, instance, project, scale_in, scene, unmanaged

BIG = {"vcpus": 4, "memory_mb": 4096, "disk_gb": 40}

EVERYTHING = scene(
    projects=[
        project("app", scale_in=scale_in(instances=1, at_most=4)),
        project("own"),
        unmanaged("orphan"),
    ],
    groups=[{"id": "web", "project": "app", "removable": True}],
    hosts=[
        *(host(f"compute-{number}") for number in range(1, 5)),
        host("control-1", type="controller"),
    ],
    instances=[
        instance("own-1", "compute-1", project="own", migration_type="OWN_ACTION", **BIG),
        instance("web-1", "compute-1", group="web", **BIG),
        instance("web-2", "compute-2", group="web", **BIG),
        instance("web-3", "compute-2", group="web", **BIG),
        instance("web-4", "compute-3", group="web", migration_type="MIGRATE", **BIG),
        instance("orphan-1", "compute-3", project="orphan", **BIG),
        instance("own-2", "compute-4", project="own", **BIG),
        instance("web-5", "compute-4", group="web", **BIG),
    ],
    faults=[
        {"instance": "own-2", "move": "fails"},
        {"instance": "orphan-1", "move": "refused"},
        {"host": "compute-2", "at": 100, "until": 130},
    ],
    session={
        "hosts": ["compute-1", "compute-2", "compute-3", "compute-4", "control-1"],
        "actions": [{"plugin": "simulated", "type": "host", "seconds": 30}],
    },
)
ACTIONS = [
    ActionSpec("noop", ActionType.PRE, {"seconds": 3}),
    ActionSpec("simulated", ActionType.HOST, {"seconds": 30}),
    ActionSpec("noop", ActionType.COMPUTE, {"seconds": 5}),
    ActionSpec("noop", ActionType.CONTROLLER, {"seconds": 5}),
    ActionSpec("noop", ActionType.POST, {"seconds": 3}),
]


def agreeable(stage: Stage) -> None:
    """The first project leaves the choice to its constraints."""
    script(stage, "app", PLANNED_MAINTENANCE=agrees, PREPARE_MAINTENANCE=agrees)


def crashed(*crashes: Crash) -> tuple[Gate, Deeds]:
    """What is left behind when engines die."""
    gates, ending = perform_with_crashes(
        EVERYTHING, *crashes, prepare=agreeable, request={"actions": ACTIONS}
    )
    return gates[0], Deeds.of(ending)


@cache
def undisturbed() -> tuple[Gate, Deeds]:
    """The same without a crash."""
    return crashed()


def test_nearly_everything_happens() -> None:
    _, deeds = undisturbed()
    assert {"SCALE_IN:1:app", "SCALE_IN:2:app"} <= deeds.questions
    assert {"PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"} <= set(deeds.states)
    assert {("control-1", "noop"), ("pre", "noop"), ("post", "noop")} <= set(deeds.runs)
    assert 2 in deeds.moves.values(), "one is tried again"


@pytest.mark.parametrize("seed", chunks(8))
def test_crashes_at_random_steps_change_nothing(seed: int) -> None:
    points = random.Random(seed).sample(list(crash_points(undisturbed()[0])), 8)
    assert failures(points, lambda point: crashed(point)[1], undisturbed()[1]) == []
