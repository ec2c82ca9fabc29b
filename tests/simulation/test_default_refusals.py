"""What a refusal, silence and the lack of a manager mean in workflow `default`."""

import pytest

from fenix.domain import SilentPolicy, UnmanagedPolicy
from fenix.simulation.running import Stage
from tests.simulation.people import refuses, script, silent
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import doctor, instance, project, scene, unmanaged

STATES = (
    "MAINTENANCE",
    "SCALE_IN",
    "PREPARE_MAINTENANCE",
    "PLANNED_MAINTENANCE",
    "MAINTENANCE_COMPLETE",
)
MOVING = ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")


@pytest.mark.parametrize("state", STATES)
def test_a_refusal_fails_the_session_with_the_project_and_the_state(state: str) -> None:
    def refuse(stage: Stage) -> None:
        script(stage, "doctor", **{state: refuses})

    ending = perform(doctor(), prepare=refuse, state="MAINTENANCE_FAILED")
    assert "project doctor" in ending.reason
    assert f"NACK_{state}" in ending.reason
    assert ending.session is not None
    assert ending.session.failed_state == state
    assert ending.disabled() == set()


def perform_silently(state: str, policy: SilentPolicy, end: str) -> Ending:
    """Doctor's session with a manager that does not answer one kind of message."""

    def mute(stage: Stage) -> None:
        script(stage, "doctor", **{state: silent})

    return perform(doctor(), prepare=mute, state=end, silent_projects=policy)


@pytest.mark.parametrize("state", ["MAINTENANCE", *MOVING])
def test_silence_may_fail_the_session(state: str) -> None:
    ending = perform_silently(state, SilentPolicy.FAIL, "MAINTENANCE_FAILED")
    assert ending.reason == f"project doctor did not answer {state} in time"
    assert ending.disabled() == set()


@pytest.mark.parametrize("state", ["MAINTENANCE", *MOVING])
def test_silence_may_count_as_consent_when_the_time_is_over(state: str) -> None:
    ending = perform_silently(state, SilentPolicy.PROCEED, "MAINTENANCE_DONE")
    if state in MOVING:
        asked = ending.first("project.notified", state=state)
        moves = [event["t"] for event in ending.of("instance.move.started")]
        assert min(at for at in moves if at > asked) == asked + 300


@pytest.mark.parametrize("state", MOVING)
def test_no_host_is_skipped_in_rounds(state: str) -> None:
    """Only workflow vnf leaves hosts; an instance never moves for want of another policy."""
    ending = perform_silently(state, SilentPolicy.SKIP_HOST, "MAINTENANCE_FAILED")
    assert f"project doctor did not answer {state} in time" in ending.reason


@pytest.mark.parametrize("policy", SilentPolicy)
def test_who_says_nothing_when_asked_for_capacity_gives_none(policy: SilentPolicy) -> None:
    ending = perform_silently("SCALE_IN", policy, "MAINTENANCE_FAILED")
    assert "project doctor did not answer" in ending.reason
    assert "no instance is gone" in ending.reason
    assert ending.first("session.state", state="MAINTENANCE_FAILED") == 30 + 900


@pytest.mark.parametrize("policy", SilentPolicy)
def test_silence_at_the_end_makes_nothing_undone(policy: SilentPolicy) -> None:
    ending = perform_silently("MAINTENANCE_COMPLETE", policy, "MAINTENANCE_DONE")
    (note,) = [entry for entry in ending.timeline if entry.what == "project.silent"]
    assert note.project == "doctor"


def test_a_silent_project_gets_its_lead_time_before_it_is_moved() -> None:
    """Its instance wants more notice than a reply may take."""

    def mute(stage: Stage) -> None:
        script(stage, "app", PLANNED_MAINTENANCE=silent)

    ending = perform(
        scene(instances=[instance("i-1", "compute-1", lead_time=500)]),
        prepare=mute,
        silent_projects=SilentPolicy.PROCEED,
        reply_timeout=60,
    )
    asked = ending.first("project.notified", state="PLANNED_MAINTENANCE")
    assert ending.first("instance.move.started") == asked + 500


def test_one_refusal_is_enough() -> None:
    """The moves that have begun meanwhile are made to the end; no other one begins."""

    def refuse(stage: Stage) -> None:
        script(stage, "other", PLANNED_MAINTENANCE=refuses)

    ending = perform(
        scene(
            projects=[project("app"), project("other")],
            instances=[
                instance("i-1", "compute-1"),
                instance("i-2", "compute-2", project="other"),
            ],
        ),
        prepare=refuse,
        state="MAINTENANCE_FAILED",
    )
    assert ending.reason == "project other answered NACK_PLANNED_MAINTENANCE"
    assert ending.places() == {"i-1": "compute-1", "i-2": "compute-2"}


MIXED = scene(
    projects=[project("app"), unmanaged("orphan")],
    instances=[instance("i-1", "compute-1"), instance("i-2", "compute-2", project="orphan")],
)


def test_a_project_without_a_manager_is_refused_at_the_start() -> None:
    ending = perform(MIXED, unmanaged_projects=UnmanagedPolicy.REFUSE, state="MAINTENANCE_FAILED")
    assert "no channel reaches an application manager of project orphan" in ending.reason
    assert "unmanaged_projects: move" in ending.reason
    assert not ending.of("project.notified")
    assert not ending.of("host.disabled")


def test_a_project_without_a_manager_may_be_moved_without_asking() -> None:
    ending = perform(MIXED, unmanaged_projects=UnmanagedPolicy.MOVE)
    assert not ending.told("orphan")
    assert ending.told("app") == [
        "MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "INSTANCE_ACTION_DONE",
        "MAINTENANCE_COMPLETE",
    ]
    assert {event["instance"] for event in ending.of("instance.move.started")} == {"i-1", "i-2"}
