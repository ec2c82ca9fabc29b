"""The checker of the invariants sees each violation: made by hand, since the engine makes none.

Numbers are those of the design, "Invariants".
"""

from collections.abc import Sequence
from typing import Any

import pytest

from fenix.domain import EventType, Message
from fenix.simulation.events import Event
from fenix.simulation.invariants import Invariants
from tests.factories import make_message
from tests.simulation.scenes import host, instance, project, scene, unmanaged

CLOUD = scene(
    hosts=[*(host(f"compute-{n}") for n in (1, 2, 3, 4)), host("control-1", type="controller")],
    projects=[project("app"), unmanaged("orphan")],
    groups=[
        {"id": "pair", "project": "app", "anti_affinity": True},
        {"id": "web", "project": "app", "max_impacted_members": 2, "recovery_time": 20},
    ],
    instances=[
        instance("pair-1", "compute-1", group="pair"),
        instance("pair-2", "compute-2", group="pair"),
        instance("web-1", "compute-1", group="web", lead_time=40),
        instance("web-2", "compute-2", group="web"),
        instance("web-3", "compute-2", group="web"),
        instance("big", "compute-3", vcpus=6, memory_mb=4096, disk_gb=60),
        instance("orphan-1", "compute-3", project="orphan"),
    ],
    limits={"parallel_hosts": 1, "parallel_migrations": 3, "parallel_migrations_per_host": 2},
    session={"hosts": ["compute-1", "compute-4", "control-1"]},
)


def event(t: float, kind: str, **keys: Any) -> Event:
    return {"t": t, "event": kind, **keys}


def asked(t: float, *instances: str) -> Event:
    return event(
        t, "project.notified", project="app", state="PLANNED_MAINTENANCE", instances=list(instances)
    )


def agreed(t: float, *instances: str, word: str = "ACK") -> Event:
    return event(
        t,
        "project.replied",
        project="app",
        state=f"{word}_PLANNED_MAINTENANCE",
        instances=list(instances),
    )


def move(t: float, ident: str, source: str, target: str) -> Event:
    return event(
        t,
        "instance.move.started",
        instance=ident,
        source=source,
        target=target,
        action="LIVE_MIGRATE",
    )


def moved(t: float, ident: str, on: str, ok: bool = True) -> Event:
    return event(t, "instance.move.finished", instance=ident, host=on, ok=ok)


def disabled(name: str, t: float = 0) -> Event:
    return event(t, "host.disabled", host=name)


def enabled(name: str, t: float = 0) -> Event:
    return event(t, "host.enabled", host=name)


def begun(name: str, t: float = 1) -> Event:
    return event(t, "host.maintenance.started", host=name)


def ended(name: str, t: float = 2, ok: bool = True) -> Event:
    return event(t, "host.maintenance.finished", host=name, ok=ok)


def created(t: float, ident: str, on: str, group: str | None = None, **size: int) -> Event:
    amount = {"vcpus": 2, "memory_mb": 2048, "disk_gb": 20} | size
    return event(
        t, "instance.created", instance=ident, host=on, project="app", group=group, **amount
    )


def replaced(t: float, ident: str, source: str, group: str | None = None) -> list[Event]:
    """What an OWN_ACTION looks like; the new instance is on a host that has room."""
    gone = event(t, "instance.deleted", instance=ident, host=source)
    return [gone, created(t, f"{ident}-1", "compute-4", group, memory_mb=1, disk_gb=1)]


numbers = iter(range(1, 10_000))


def news(name: str, state: str, **changes: Any) -> Message:
    """A message about a host, which comes after all others before it."""
    fields: dict[str, Any] = {
        "event_type": EventType.HOST,
        "project_id": "admin",
        "state": state,
        "payload": {"session_id": "s", "host": name},
    }
    return make_message(**{"sequence": next(numbers)} | fields | changes)


def told(name: str) -> Message:
    return news(name, "IN_MAINTENANCE")


def violations(
    happened: Sequence[Event | Message], done: bool | None = None, **settings: Any
) -> list[str]:
    """What the checker says.

    Args:
        done: how the session ended; None: it has not.
    """
    checker = Invariants(CLOUD, **settings)
    for one in happened:
        if isinstance(one, Message):
            checker.heard(1.0, one)
        else:
            checker(one)
    if done is not None:
        checker.at_end(done, frozenset({"compute-2"}), frozenset({"compute-3"}))
    return checker.violations


GOOD: list[Event | Message] = [
    disabled("compute-4"),
    told("compute-4"),
    begun("compute-4"),
    ended("compute-4"),
    news("compute-4", "MAINTENANCE_COMPLETE"),
    enabled("compute-4"),
    told("control-1"),
    begun("control-1"),
    ended("control-1"),
    news("control-1", "MAINTENANCE_COMPLETE"),
    disabled("compute-1"),
    asked(3, "pair-1", "web-1"),
    agreed(4, "pair-1", "web-1"),
    move(5, "pair-1", "compute-1", "compute-4"),
    move(5, "web-1", "compute-1", "compute-4"),
    moved(15, "pair-1", "compute-4"),
    moved(15, "web-1", "compute-4"),
    told("compute-1"),
    begun("compute-1", 16),
    ended("compute-1", 17),
    news("compute-1", "MAINTENANCE_COMPLETE"),
    enabled("compute-1", 17),
]


def test_a_good_session_violates_nothing() -> None:
    assert violations(GOOD, done=True) == []


@pytest.mark.parametrize(
    ("happened", "violation"),
    [
        # 1: groups, anti-affinity, room
        (
            [move(1, "pair-1", "compute-1", "compute-2")],
            "t=1: host compute-2 has more than 1 of group pair",
        ),
        (
            [created(1, "pair-3", "compute-1", "pair")],
            "t=1: host compute-1 has more than 1 of group pair",
        ),
        (
            [move(1, "web-1", "compute-1", "compute-3")],
            "t=1: host compute-3 has 10 vCPUs, 8192 MiB, 100 GiB, more than it has room for",
        ),
        (
            [created(1, "fat", "compute-4", memory_mb=9000)],
            "t=1: host compute-4 has 2 vCPUs, 9000 MiB, 20 GiB, more than it has room for",
        ),
        (
            [
                move(1, "web-1", "compute-1", "compute-4"),
                move(2, "web-2", "compute-2", "compute-4"),
                moved(11, "web-1", "compute-4"),
                move(12, "web-3", "compute-2", "compute-1"),
            ],
            "t=12: group web has 3 impacted, 2 are allowed",
        ),
        (
            [
                move(1, "web-1", "compute-1", "compute-4"),
                moved(10, "web-1", "compute-4"),
                move(11, "web-2", "compute-2", "compute-4"),
                moved(20, "web-2", "compute-4"),
                move(29.9, "web-3", "compute-2", "compute-4"),
            ],
            "t=29.9: group web has 3 impacted, 2 are allowed",
        ),
        (
            [
                asked(0, "web-1", "web-2", "web-3"),
                *replaced(1, "web-1", "compute-1", "web"),
                *replaced(2, "web-2", "compute-2", "web"),
                *replaced(20.9, "web-3", "compute-2", "web"),
            ],
            "t=20.9: group web has 3 impacted, 2 are allowed",
        ),
        # 2: consent
        (
            replaced(1, "web-1", "compute-1", "web"),
            "t=1: instance web-1 is replaced, and nobody had asked for it",
        ),
        (
            [asked(1, "web-1"), move(2, "web-1", "compute-1", "compute-4")],
            "t=2: instance web-1 moves without an ACK",
        ),
        (
            [agreed(1, "web-1", word="NACK"), move(2, "web-1", "compute-1", "compute-4")],
            "t=2: instance web-1 moves without an ACK",
        ),
        (
            [agreed(1, "web-1"), asked(2, "web-1"), move(3, "web-1", "compute-1", "compute-4")],
            "t=3: instance web-1 moves without an ACK",
        ),
        (
            [
                agreed(1, "big"),
                move(2, "big", "compute-3", "compute-4"),
                moved(3, "big", "compute-4"),
                move(50, "big", "compute-4", "compute-3"),
            ],
            "t=50: instance big moves without an ACK",
        ),
        # 3: hosts
        (
            [disabled("compute-1"), told("compute-1"), begun("compute-1")],
            "t=1: host compute-1 is worked on with pair-1 on it",
        ),
        (
            [
                disabled("compute-4"),
                told("compute-4"),
                move(0, "big", "compute-3", "compute-4"),
                begun("compute-4"),
            ],
            "t=1: host compute-4 is worked on with big on it",
        ),
        (
            [told("compute-4"), begun("compute-4")],
            "t=1: host compute-4 is worked on while it is enabled",
        ),
        (
            [disabled("compute-4"), told("compute-4"), begun("compute-4"), enabled("compute-4")],
            "t=0: host compute-4 is enabled while it is worked on",
        ),
        (
            [disabled("compute-4"), begun("compute-4")],
            "t=1: host compute-4 is worked on before anybody was told",
        ),
        (
            [
                disabled("compute-4"),
                told("compute-4"),
                news("compute-4", "MAINTENANCE_COMPLETE"),
                begun("compute-4"),
            ],
            "t=1: host compute-4 is worked on before anybody was told",
        ),
        (
            [
                disabled("compute-4"),
                told("compute-4"),
                begun("compute-4"),
                news("compute-4", "MAINTENANCE_COMPLETE"),
            ],
            "t=1.0: MAINTENANCE_COMPLETE of host compute-4 while it is worked on",
        ),
        (
            [told("control-1"), begun("control-1"), begun("control-1")],
            "t=1: host control-1 is worked on twice at one time",
        ),
        (
            [
                told("control-1"),
                begun("control-1"),
                disabled("compute-4"),
                told("compute-4"),
                begun("compute-4"),
            ],
            "t=1: 2 hosts are worked on, 1 are allowed",
        ),
        (
            [
                disabled("compute-4"),
                told("compute-4"),
                begun("compute-4"),
                move(2, "big", "compute-3", "compute-4"),
            ],
            "t=2: a move to host compute-4 that is worked on",
        ),
        (
            [disabled("compute-4"), move(2, "big", "compute-3", "compute-4")],
            "t=2: a move to host compute-4 that is disabled",
        ),
        (
            [told("control-1"), begun("control-1"), created(2, "new", "control-1")],
            "t=2: new lands on a host that is worked on",
        ),
        # 5: once
        (
            [move(1, "big", "compute-3", "compute-4"), move(2, "big", "compute-3", "compute-4")],
            "t=2: instance big is moved twice at one time",
        ),
        (
            [
                news("compute-4", "IN_MAINTENANCE", key="one"),
                news("compute-4", "IN_MAINTENANCE", key="one"),
            ],
            "t=1.0: message one is sent under another id",
        ),
        (
            [
                news("compute-4", "IN_MAINTENANCE", sequence=9000),
                news("compute-4", "IN_MAINTENANCE", key="late", sequence=8999),
            ],
            "t=1.0: message late is out of order",
        ),
        # limits of the scenario
        (
            [
                move(1, "web-2", "compute-2", "compute-4"),
                move(1, "web-1", "compute-1", "compute-4"),
                move(2, "orphan-1", "compute-3", "compute-4"),
            ],
            "t=2: 3 moves on host compute-4, 2 allowed",
        ),
        (
            [
                move(1, "web-2", "compute-2", "compute-4"),
                move(1, "web-3", "compute-2", "compute-4"),
                move(1, "orphan-1", "compute-3", "compute-1"),
                move(2, "big", "compute-3", "compute-1"),
            ],
            "t=2: 4 moves in the cloud, 3 allowed",
        ),
    ],
)
def test_each_violation_is_seen(happened: list[Event | Message], violation: str) -> None:
    assert violation in violations(happened)


@pytest.mark.parametrize(
    ("happened", "done", "violation"),
    [
        ([*GOOD, disabled("compute-3")], True, "at the end: host compute-3 is left disabled"),
        ([disabled("compute-4")], False, "at the end: host compute-4 is left disabled"),
        (GOOD[:10], True, "at the end: host compute-1 was not worked on"),
        (
            [*GOOD, told("control-1"), begun("control-1"), ended("control-1")],
            True,
            "at the end: host control-1 was worked on 2 times",
        ),
        (
            [told("compute-4")],
            False,
            "at the end: the news of host compute-4 end with IN_MAINTENANCE",
        ),
    ],
)
def test_each_violation_at_the_end_is_seen(
    happened: list[Event | Message], done: bool, violation: str
) -> None:
    assert violation in violations(happened, done=done)


@pytest.mark.parametrize(
    ("happened", "settings"),
    [
        # An instance without a manager needs no consent.
        ([move(1, "orphan-1", "compute-3", "compute-4")], {}),
        # The next try of a failed move needs no other consent.
        (
            [
                agreed(1, "big"),
                move(2, "big", "compute-3", "compute-4"),
                moved(3, "big", "compute-3", ok=False),
                move(4, "big", "compute-3", "compute-4"),
            ],
            {},
        ),
        # Recovery is over.
        (
            [
                agreed(0, "web-1", "web-2", "web-3"),
                move(1, "web-1", "compute-1", "compute-4"),
                moved(10, "web-1", "compute-4"),
                move(11, "web-2", "compute-2", "compute-4"),
                moved(20, "web-2", "compute-4"),
                move(30, "web-3", "compute-2", "compute-4"),
            ],
            {},
        ),
        # A member that is gone is not impacted.
        (
            [
                agreed(0, "web-1", "web-2", "web-3"),
                move(1, "web-1", "compute-1", "compute-4"),
                event(2, "instance.deleted", instance="web-1", host="compute-1"),
                move(3, "web-2", "compute-2", "compute-4"),
                move(3, "web-3", "compute-2", "compute-4"),
            ],
            {},
        ),
        # So is one that its manager built anew, when it has recovered.
        (
            [
                asked(0, "web-1", "web-2", "web-3"),
                *replaced(1, "web-1", "compute-1", "web"),
                *replaced(2, "web-2", "compute-2", "web"),
                *replaced(21, "web-3", "compute-2", "web"),
            ],
            {},
        ),
        # What comes long after a deletion is no replacement.
        (
            [
                event(1, "instance.deleted", instance="web-1", host="compute-1"),
                event(1, "instance.deleted", instance="web-2", host="compute-2"),
                created(1, "web-1-1", "compute-4", "web"),
            ],
            {},
        ),
        # A workflow without constraints may impact any number.
        (
            [
                agreed(0, "web-1", "web-2", "web-3"),
                move(1, "web-1", "compute-1", "compute-4"),
                move(1, "web-2", "compute-2", "compute-4"),
                moved(2, "web-1", "compute-4"),
                move(3, "web-3", "compute-2", "compute-4"),
            ],
            {"constrained": False},
        ),
        # Silence counts as consent when the lead time is over.
        (
            [asked(1, "web-1"), move(41, "web-1", "compute-1", "compute-4")],
            {"proceeds": True},
        ),
        # A host whose work failed may stay disabled; one that was skipped need not be worked on.
        ([*GOOD, disabled("compute-2")], {"at_end": True}),
    ],
)
def test_what_is_allowed_is_no_violation(
    happened: list[Event | Message], settings: dict[str, Any]
) -> None:
    done = settings.pop("at_end", None)
    assert violations(happened, done, **settings) == []


def test_silence_before_the_lead_time_is_over_is_no_consent() -> None:
    happened = [asked(1, "web-1"), move(40, "web-1", "compute-1", "compute-4")]
    assert violations(happened, proceeds=True) == ["t=40: instance web-1 moves without an ACK"]


def test_a_refusal_is_not_overruled_by_time() -> None:
    refused = [asked(1, "web-1"), agreed(2, "web-1", word="NACK")]
    happened = [*refused, move(41, "web-1", "compute-1", "compute-4")]
    assert violations(happened, proceeds=True) == ["t=41: instance web-1 moves without an ACK"]
