"""How workflow `vnf` talks with managers, and what their silence and refusals mean."""

from collections import Counter
from typing import Any

import pytest

from fenix.domain import EventType, InstanceState, MoveAction, SilentPolicy
from fenix.simulation.running import Stage
from fenix.simulation.scenario import Scenario
from tests.simulation.people import script, silent
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import host, instance, project, scene

MOVING = ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")


def vnf(**parts: Any) -> Scenario:
    """A scene for workflow vnf."""
    return scene(**parts | {"session": {"workflow": "vnf"} | parts.get("session", {})})


def two_projects(**more: Any) -> Scenario:
    """Hosts 1 and 2 are of project app, hosts 3 and 4 of project other; there is much room."""
    parts: dict[str, Any] = {
        "hosts": [host(f"compute-{number}") for number in range(1, 7)],
        "projects": [project("app"), project("other")],
        "instances": [
            *(instance(f"app-{n}", f"compute-{n}") for n in (1, 2)),
            *(instance(f"other-{n}", f"compute-{n}", project="other") for n in (3, 4)),
        ],
    }
    return vnf(**parts | more)


def mute(stage: Stage) -> None:
    """The manager of `other` does not answer questions about moves."""
    script(stage, "other", PREPARE_MAINTENANCE=silent, PLANNED_MAINTENANCE=silent)


def back(ending: Ending) -> dict[str, float]:
    """When the work on each host ended."""
    return {one["host"]: one["t"] for one in ending.of("host.maintenance.finished")}


def test_each_instance_has_a_message_a_reply_and_a_last_message_of_its_own() -> None:
    ending = perform(vnf(instances=[instance(f"i-{n}", "compute-1") for n in range(3)]))
    told = [one for one in ending.messages if one.event_type is EventType.SCHEDULED]
    about = [one for one in told if one.state in (*MOVING, "INSTANCE_ACTION_DONE")]
    assert Counter(one.instance_ids for one in about) == {(f"i-{n}",): 2 for n in range(3)}
    for message in about:
        assert message.payload["instance_ids"] == list(message.instance_ids)
    asked = [one for one in about if one.state in MOVING]
    assert all(one.payload["reply_url"].endswith(one.instance_ids[0]) for one in asked)
    replied = [one["instances"] for one in ending.of("project.replied") if "ACK_P" in one["state"]]
    assert sorted(replied) == [["i-0"], ["i-1"], ["i-2"]]


def test_prepare_is_for_targets_that_are_not_maintained_and_planned_for_those_that_are() -> None:
    half = {"vcpus": 4, "memory_mb": 4096, "disk_gb": 40}
    ending = perform(vnf(instances=[instance(f"i-{n}", f"compute-{n}", **half) for n in (1, 2, 3)]))
    maintained: set[str] = set()
    asked = ""
    for event in ending.events:
        if event["event"] == "project.notified" and event["state"] in MOVING:
            asked = event["state"]
        if event["event"] == "host.maintenance.finished":
            maintained.add(event["host"])
        if event["event"] == "instance.move.started":
            expected = MOVING[event["target"] in maintained]
            assert asked == expected
    assert ending.told("app").count("PREPARE_MAINTENANCE") == 1


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_as_many_members_are_impacted_as_the_group_allows(limit: int) -> None:
    group = {"id": "pool", "project": "app", "max_impacted_members": limit, "recovery_time": 50}
    ending = perform(
        vnf(
            groups=[group],
            instances=[instance(f"i-{n}", "compute-1", group="pool") for n in range(3)],
        )
    )
    starts = sorted(one["t"] for one in ending.of("instance.move.started"))
    assert sum(at < starts[0] + 60 for at in starts) == limit


def test_a_member_that_recovers_holds_back_the_next() -> None:
    ending = perform(
        vnf(
            groups=[{"id": "pool", "project": "app", "recovery_time": 100}],
            instances=[instance(f"i-{n}", "compute-1", group="pool") for n in (1, 2)],
        )
    )
    first, second = sorted(
        one["t"]
        for one in ending.of("project.notified")
        if one["instances"] and one["state"] == "PLANNED_MAINTENANCE"
    )
    assert second == pytest.approx(first + 1 + 10 + 100, abs=0.01)


@pytest.mark.parametrize("policy", [SilentPolicy.FAIL, SilentPolicy.PROCEED])
def test_silence_counts_when_the_lead_time_is_over(policy: SilentPolicy) -> None:
    state = "MAINTENANCE_FAILED" if policy is SilentPolicy.FAIL else "MAINTENANCE_DONE"
    ending = perform(two_projects(), prepare=mute, silent_projects=policy, state=state)
    asked = min(
        one["t"] for one in ending.of("project.notified", project="other") if one["state"] in MOVING
    )
    if policy is SilentPolicy.FAIL:
        assert ending.first("session.state", state=state) == asked + 120
        assert "project other did not answer" in ending.reason
        assert "other-" in ending.reason
        assert ending.disabled() == set()
    else:
        moves = [one for one in ending.of("instance.move.started") if "other" in one["instance"]]
        assert min(one["t"] for one in moves) == asked + 120


def test_silence_is_no_agreement_of_who_would_notice_a_live_migration() -> None:
    sensitive = instance("other-3", "compute-3", project="other", max_interruption_time=0)
    ending = perform(
        two_projects(instances=[sensitive]),
        prepare=mute,
        silent_projects=SilentPolicy.PROCEED,
        state="MAINTENANCE_FAILED",
    )
    assert "project other did not answer" in ending.reason
    assert "would notice even a live migration" in ending.reason
    assert ending.disabled() == set()


def test_the_host_of_a_silent_project_is_left_and_the_session_goes_on() -> None:
    ending = perform(two_projects(), prepare=mute, silent_projects=SilentPolicy.SKIP_HOST)
    skipped = {name for name, one in ending.hosts.items() if one.state == "SKIPPED"}
    assert skipped == {"compute-3", "compute-4"}
    assert set(back(ending)) == {"compute-1", "compute-2", "compute-5", "compute-6"}
    assert ending.disabled() == set()
    assert ending.places()["other-3"] == "compute-3"
    assert "did not answer" in ending.hosts["compute-3"].why


def other_always(reply: str) -> list[dict[str, Any]]:
    """How the manager of `other` always answers questions about moves."""
    return [
        {"project": "other", "reply": reply, "state": one, "times": 50, "delay": 100}
        for one in MOVING
    ]


def test_a_refusal_is_never_overruled() -> None:
    ending = perform(
        two_projects(faults=other_always("nack")),
        silent_projects=SilentPolicy.PROCEED,
        state="MAINTENANCE_FAILED",
    )
    assert "project other answered NACK_P" in ending.reason
    assert not [one for one in ending.of("instance.move.started") if "other" in one["instance"]]


def test_a_slow_application_holds_back_only_the_hosts_that_it_is_on() -> None:
    quick, slow = (
        back(perform(two_projects(), second_moves=0)),
        back(perform(two_projects(faults=other_always("late")), second_moves=0)),
    )
    late = {name for name in quick if slow[name] > quick[name]}
    assert late == {"compute-3", "compute-4"}


def test_the_manager_chooses_what_happens_else_the_constraints() -> None:
    kinds = [MoveAction.MIGRATE, MoveAction.LIVE_MIGRATE, MoveAction.OWN_ACTION]
    ending = perform(
        vnf(instances=[instance(kind.lower(), "compute-1", migration_type=kind) for kind in kinds])
    )
    assert {one.instance_id: one.action for one in ending.moves} == {
        "migrate": MoveAction.MIGRATE,
        "live_migrate": MoveAction.LIVE_MIGRATE,
    }
    own = ending.instances["own_action"]
    assert own.state is InstanceState.GONE
    assert own.replaced_by in ending.stage.world.instances


@pytest.mark.parametrize("reply", ["double", "late", "wrong_state"])
def test_odd_replies_do_no_harm(reply: str) -> None:
    """A late one comes within the lead time; one of a wrong state is none."""
    fault = {"project": "app", "reply": reply, "state": "PLANNED_MAINTENANCE", "delay": 50}
    ending = perform(vnf(faults=[fault]), silent_projects=SilentPolicy.PROCEED)
    assert len(ending.moves) == len({(one.instance_id, one.source) for one in ending.moves})
