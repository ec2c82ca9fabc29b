"""Actions run when and in the order that the wire contract says, each once."""

from typing import Any

import pytest

from fenix.domain import ActionSpec, ActionState, ActionType, HostState
from fenix.simulation.running import Stage
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import action, host, instance, scene

PRE, HOST, COMPUTE, CONTROLLER, POST = ActionType


def spec(plugin: str, kind: ActionType, seconds: float = 10) -> ActionSpec:
    return ActionSpec(plugin, kind, {"seconds": seconds})


def runs(ending: Ending) -> list[tuple[str | None, str, str]]:
    """Host, type and plug-in of each run, in the order in which they were started."""
    ordered = sorted(ending.actions, key=lambda run: run.started_at)
    return [(run.host, str(run.type), run.plugin) for run in ordered]


WITH_CONTROLLERS = {
    "hosts": [
        host("compute-1"),
        host("compute-2"),
        host("control-1", type="controller"),
        host("control-2", type="controller"),
    ],
    "instances": [instance("i-1", "compute-1")],
}


def with_controllers(**session: Any) -> Any:
    hosts = ["compute-1", "compute-2", "control-1", "control-2"]
    return scene(**WITH_CONTROLLERS, session={"hosts": hosts} | session)


def test_actions_run_in_alphabetical_order_after_those_for_all_hosts() -> None:
    """Asked for the other way round; two of the same plug-in keep their order."""
    asked = [
        spec("simulated", COMPUTE),
        spec("noop", COMPUTE, seconds=1),
        spec("noop", COMPUTE, seconds=2),
        spec("simulated", HOST),
        spec("noop", HOST),
        spec("noop", CONTROLLER),
    ]
    ending = perform(
        scene(
            hosts=[host("compute-1")],
            instances=[],
            session={"actions": [action(), action()]},
        ),
        request={"actions": asked},
    )
    assert runs(ending) == [
        ("compute-1", "host", "noop"),
        ("compute-1", "host", "simulated"),
        ("compute-1", "compute", "noop"),
        ("compute-1", "compute", "noop"),
        ("compute-1", "compute", "simulated"),
    ]
    assert [run.metadata["seconds"] for run in ending.actions if run.type is COMPUTE] == [1, 2, 10]


def test_controllers_come_first_and_one_after_the_other() -> None:
    asked = [spec("simulated", COMPUTE), spec("simulated", CONTROLLER), spec("simulated", HOST)]
    ending = perform(with_controllers(actions=[action()]), request={"actions": asked})
    assert runs(ending)[:4] == [
        ("control-1", "host", "simulated"),
        ("control-1", "controller", "simulated"),
        ("control-2", "host", "simulated"),
        ("control-2", "controller", "simulated"),
    ]
    assert runs(ending)[4:] == [
        ("compute-2", "host", "simulated"),
        ("compute-2", "compute", "simulated"),
        ("compute-1", "host", "simulated"),
        ("compute-1", "compute", "simulated"),
    ]


def test_controllers_are_neither_disabled_nor_targets() -> None:
    ending = perform(with_controllers(actions=[action()]))
    assert {event["host"] for event in ending.of("host.disabled")} == {"compute-1", "compute-2"}
    assert {one.state for one in ending.hosts.values()} == {HostState.MAINTAINED}


def test_actions_around_the_session_run_before_and_after_everything() -> None:
    asked = [
        spec("simulated", POST, seconds=7),
        spec("noop", POST),
        spec("simulated", PRE, seconds=20),
        spec("noop", PRE),
        spec("simulated", HOST),
    ]
    ending = perform(scene(), request={"actions": asked})
    order = runs(ending)
    assert order[:2] == [(None, "pre", "noop"), (None, "pre", "simulated")]
    assert order[-2:] == [(None, "post", "noop"), (None, "post", "simulated")]
    assert ending.first("host.disabled") == 5 + 10 + 20
    asked_at = ending.first("project.notified", state="MAINTENANCE_COMPLETE")
    assert asked_at == ending.of("host.enabled")[-1]["t"] + 10 + 7


@pytest.mark.parametrize("kind", [PRE, POST])
def test_a_failure_of_an_action_around_the_session_fails_it(kind: ActionType) -> None:
    def fail(stage: Stage) -> None:
        stage.actions.failing[""] = "the backup is not complete"

    ending = perform(
        scene(),
        request={"actions": [spec("simulated", kind), spec("simulated", HOST)]},
        prepare=fail,
        state="MAINTENANCE_FAILED",
    )
    assert ending.reason == f"{kind} action simulated failed: the backup is not complete"
    assert ending.disabled() == set()
    assert bool(ending.of("host.maintenance.started")) is (kind is POST)


def test_a_failure_on_a_controller_leaves_the_others_alone() -> None:
    def fail(stage: Stage) -> None:
        stage.actions.failing["control-1"] = "no quorum"

    ending = perform(with_controllers(actions=[action()]), prepare=fail, state="MAINTENANCE_FAILED")
    assert ending.reason == "host control-1: host action simulated failed: no quorum"
    assert ending.hosts["control-2"].state is HostState.PENDING
    assert len(ending.of("host.maintenance.started")) == 1


def test_what_comes_after_a_failed_action_is_not_run() -> None:
    def fail(stage: Stage) -> None:
        stage.actions.failing["compute-1"] = "no space left"

    ending = perform(
        scene(hosts=[host("compute-1")], instances=[]),
        request={"actions": [spec("noop", HOST), spec("simulated", COMPUTE)]},
        prepare=fail,
        state="MAINTENANCE_FAILED",
    )
    assert [(run.plugin, run.state) for run in ending.actions] == [("noop", ActionState.FAILED)]


def test_a_session_without_actions_still_rolls_through_the_hosts() -> None:
    ending = perform(scene(session={"actions": []}))
    assert {one.state for one in ending.hosts.values()} == {HostState.MAINTAINED}
    assert ending.actions == []
