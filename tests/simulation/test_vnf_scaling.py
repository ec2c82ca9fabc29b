"""Workflow `vnf` asks for the little capacity that makes a session much shorter."""

from typing import Any

import pytest

from fenix.domain import SilentPolicy
from fenix.simulation.scenario import Scenario
from tests.simulation.people import agrees, script
from tests.simulation.play import Ending, perform
from tests.simulation.scenes import action, host, instance, project, scale_in, scene

HOSTS = 6


def nearly_two_free(
    limits: dict[str, int] | None = None, others: int = 0, **manager: Any
) -> Scenario:
    """Six hosts of 40 vCPUs with 78 free: two short of working on two hosts at a time.

    Args:
        others: how many instances on each host are of a project that refuses to scale in.
    """
    wide = {"vcpus": 40, "memory_mb": 81920, "disk_gb": 800}
    instances = [
        instance(f"i-{number}-{place}", f"compute-{number}", group="app")
        if place >= others
        else instance(f"i-{number}-{place}", f"compute-{number}", project="other")
        for number in range(1, HOSTS + 1)
        for place in range(13 + (number <= 3))
    ]
    return scene(
        hosts=[host(f"compute-{number}", **wide) for number in range(1, HOSTS + 1)],
        projects=[project("app", **manager), project("other")],
        groups=[
            {
                "id": "app",
                "project": "app",
                "max_impacted_members": 20,
                "recovery_time": 0,
                "removable": True,
            }
        ],
        instances=instances,
        limits=limits or {},
        session={"workflow": "vnf", "actions": [action(seconds=600)]},
    )


def duration(ending: Ending) -> float:
    """When the work on the last host ended, in seconds from the start."""
    return max(one["t"] for one in ending.of("host.maintenance.finished"))


def test_one_host_more_at_a_time_for_a_few_instances() -> None:
    giving = nearly_two_free(scale_in=scale_in(1, 2))
    quick, slow = perform(giving), perform(giving, scale_in_share=0)
    assert quick.told("app").count("SCALE_IN") == 1
    assert slow.told("app").count("SCALE_IN") == 0
    assert duration(quick) < 0.7 * duration(slow)
    assert [one.why for one in quick.timeline if one.what == "session.speed_up"] == [
        "with 2 vCPUs, 0 MiB, 0 GiB more, 2 hosts can be worked on at a time"
    ]


def test_no_more_is_asked_for_than_that() -> None:
    ending = perform(nearly_two_free(scale_in=scale_in(1, 9)))
    assert len(ending.of("instance.deleted")) == 1


@pytest.mark.parametrize(("share", "rounds"), [(0.03, 2), (0.02, 1)])
def test_where_more_was_given_a_little_may_be_lacking_again(share: float, rounds: int) -> None:
    # 20 instances give room for two hosts, and all but two vCPUs for a third one.
    ending = perform(nearly_two_free(scale_in=scale_in(20, 21)), scale_in_share=share)
    assert [one.why for one in ending.timeline if one.what == "session.speed_up"] == [
        f"with 2 vCPUs, 0 MiB, 0 GiB more, {count} hosts can be worked on at a time"
        for count in (2, 3)[:rounds]
    ]
    assert ending.told("app").count("SCALE_IN") == rounds


@pytest.mark.parametrize("policy", list(SilentPolicy))
def test_who_does_not_scale_in_is_asked_once_and_nothing_is_lost(policy: SilentPolicy) -> None:
    ending = perform(nearly_two_free(), silent_projects=policy)
    assert ending.told("app").count("SCALE_IN") == 1


def test_who_agrees_but_gives_nothing_is_not_asked_again() -> None:
    ending = perform(
        nearly_two_free(scale_in=scale_in(1, 2)),
        prepare=lambda stage: script(stage, "app", SCALE_IN=agrees),
    )
    assert ending.told("app").count("SCALE_IN") == 1


def test_after_a_refusal_another_is_asked() -> None:
    ending = perform(nearly_two_free(others=9, scale_in=scale_in(1, 2)))
    assert ending.told("other").count("SCALE_IN") == 1
    assert ending.told("app").count("SCALE_IN") == 1
    assert len(ending.of("instance.deleted")) == 1


def test_where_there_is_no_way_on_after_a_refusal_another_is_asked() -> None:
    full = scene(
        hosts=[host(f"compute-{number}") for number in (1, 2, 3)],
        projects=[project("app", scale_in=scale_in(4, 4)), project("large"), project("other")],
        groups=[{"id": "app", "project": "app", "removable": True, "max_impacted_members": 9}],
        instances=[
            instance(f"i-{number}-{place}", f"compute-{number}", **more)
            for number in (1, 2, 3)
            for place, more in enumerate(
                [{"group": "app"}] * 2 + [{"project": "large"}] * 2
                if number < 3
                else [{"project": "other"}] * 4
            )
        ],
        session={"workflow": "vnf"},
    )
    ending = perform(full)
    assert {name: ending.told(name).count("SCALE_IN") for name in ("app", "large", "other")} == {
        "app": 1,
        "large": 1,
        "other": 1,
    }


def test_where_no_more_hosts_are_allowed_nobody_is_asked() -> None:
    ending = perform(nearly_two_free({"parallel_hosts": 1}, scale_in=scale_in(1, 2)))
    assert "SCALE_IN" not in ending.told("app")
