"""How a move stands, from every combination of migration record and server that Nova shows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fenix.clouds import MovePhase, MoveTicket
from fenix.clouds.openstack.phases import SKEW, Migration, phase, record_of
from fenix.clouds.openstack.servers import Server
from fenix.domain import MoveAction

NOW = datetime(2030, 1, 1, 12, 0, 0)
LIVE = MoveTicket("i", MoveAction.LIVE_MIGRATE, "h1", None, NOW)
COLD = replace(LIVE, action=MoveAction.MIGRATE)
RECORD = Migration("m", 1, "i", "live-migration", "running", "h1", NOW)
IDLE = Server("i", "ACTIVE", None, "h1")


def live(status: str) -> Migration:
    return replace(RECORD, status=status)


def cold(status: str) -> Migration:
    return replace(RECORD, status=status, type="migration")


def server(status: str, task: str | None = None, host: str = "h1", fault: str = "") -> Server:
    return Server("i", status, task, host, fault)


@pytest.mark.parametrize(
    ("record", "found", "expected"),
    [
        # nothing recorded yet
        (None, server("ACTIVE"), MovePhase.NOT_STARTED),
        (None, server("SHUTOFF"), MovePhase.NOT_STARTED),
        (None, server("MIGRATING", "migrating"), MovePhase.RUNNING),
        (None, server("RESIZE", "resize_prep"), MovePhase.RUNNING),
        (None, server("ACTIVE", "powering-off"), MovePhase.RUNNING),
        (None, server("ERROR"), MovePhase.FAILED),
        (None, server("UNKNOWN"), MovePhase.RUNNING),
        (None, server("ACTIVE", host="h2"), MovePhase.DONE),
        (None, None, MovePhase.GONE),
        (None, server("DELETED"), MovePhase.GONE),
        (None, server("SOFT_DELETED"), MovePhase.GONE),
        # somebody's resize awaits its confirmation: not ours to confirm
        (None, server("VERIFY_RESIZE"), MovePhase.NOT_STARTED),
        # live
        (live("accepted"), server("MIGRATING", "migrating"), MovePhase.RUNNING),
        (live("queued"), server("MIGRATING", "migrating"), MovePhase.RUNNING),
        (live("running (post-copy)"), server("MIGRATING", "migrating"), MovePhase.RUNNING),
        (live("running"), server("ACTIVE", host="h2"), MovePhase.RUNNING),
        (live("running"), server("DELETED"), MovePhase.GONE),
        (live("running"), server("ERROR"), MovePhase.FAILED),
        (live("running"), server("UNKNOWN"), MovePhase.RUNNING),
        (live("completed"), server("ACTIVE", host="h2"), MovePhase.DONE),
        (live("completed"), server("REBOOT", "rebooting", "h2"), MovePhase.DONE),
        (live("completed"), server("ERROR", host="h2"), MovePhase.FAILED),
        (live("completed"), server("UNKNOWN"), MovePhase.RUNNING),
        (live("error"), server("MIGRATING", "migrating"), MovePhase.RUNNING),
        (live("error"), server("ACTIVE"), MovePhase.FAILED),
        (live("failed"), server("ACTIVE"), MovePhase.FAILED),
        (live("cancelled"), server("ACTIVE"), MovePhase.FAILED),
        # cold
        (cold("pre-migrating"), server("RESIZE", "resize_prep"), MovePhase.RUNNING),
        (cold("post-migrating"), server("RESIZE", "resize_migrated", "h2"), MovePhase.RUNNING),
        (cold("finished"), server("RESIZE", "resize_finish", "h2"), MovePhase.RUNNING),
        (cold("finished"), server("ACTIVE", host="h2"), MovePhase.RUNNING),
        (cold("finished"), server("VERIFY_RESIZE", host="h2"), MovePhase.AWAITING_CONFIRM),
        (cold("finished"), server("VERIFY_RESIZE", "deleting", "h2"), MovePhase.RUNNING),
        (cold("confirming"), server("VERIFY_RESIZE", host="h2"), MovePhase.RUNNING),
        (cold("confirmed"), server("VERIFY_RESIZE", host="h2"), MovePhase.RUNNING),
        (cold("confirmed"), server("ACTIVE", host="h2"), MovePhase.DONE),
        (cold("confirmed"), server("SHUTOFF", host="h2"), MovePhase.DONE),
        (cold("confirmed"), server("ACTIVE", "powering-off", "h2"), MovePhase.RUNNING),
        (cold("confirmed"), server("ERROR", host="h2"), MovePhase.FAILED),
        (cold("reverting"), server("REVERT_RESIZE", "resize_reverting", "h2"), MovePhase.RUNNING),
        (cold("reverted"), server("ACTIVE"), MovePhase.FAILED),
        (cold("error"), server("ERROR", host="h2"), MovePhase.FAILED),
        (cold("error"), server("ACTIVE"), MovePhase.FAILED),
        # Nova gave up on one host and tries the next
        (cold("error"), server("RESIZE", "resize_prep"), MovePhase.RUNNING),
    ],
)
def test_phase(record: Migration | None, found: Server | None, expected: MovePhase) -> None:
    ticket = COLD if record and record.type == "migration" else LIVE
    status = phase(ticket, record, found)
    assert status.phase is expected
    assert status.instance_id == "i"
    gone = expected is MovePhase.GONE
    assert status.host == (None if gone or found is None else found.host)
    assert status.cloud_id == ("m" if record and not gone else None)
    assert bool(status.detail) == (expected is MovePhase.FAILED)


def test_the_fault_is_told_where_there_is_one() -> None:
    broken = server("ERROR", fault="disk full")
    assert phase(COLD, cold("error"), broken).detail == "disk full"
    assert "ended as cancelled" in phase(LIVE, live("cancelled"), IDLE).detail


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, instance_id="another"),
        replace(RECORD, type="migration"),
        replace(RECORD, type="evacuation"),
        replace(RECORD, source="h3"),
        replace(RECORD, created_at=NOW - SKEW - timedelta(seconds=1)),
    ],
)
def test_a_record_of_something_else_is_not_the_tickets(other: Migration) -> None:
    assert record_of(LIVE, [other]) is None
    assert record_of(LIVE, [other, RECORD]) is RECORD


def test_known_records_are_not_meant_however_new() -> None:
    ticket = replace(LIVE, known=frozenset({"m"}))
    newer = replace(RECORD, created_at=NOW + timedelta(minutes=1))
    assert record_of(ticket, [newer]) is None
    assert record_of(ticket, [newer, replace(RECORD, id="n")]) == replace(RECORD, id="n")


def test_a_record_from_a_clock_that_is_behind_is_the_tickets() -> None:
    early = replace(RECORD, created_at=NOW - SKEW)
    assert record_of(LIVE, [early]) is early


def test_the_newest_of_several_records_counts() -> None:
    first = replace(RECORD, id="a", number=1, status="error")
    second = replace(RECORD, id="b", number=2)
    later = replace(RECORD, id="c", number=1, created_at=NOW + timedelta(seconds=1))
    assert record_of(LIVE, [second, first]) is second
    assert record_of(LIVE, [later, second, first]) is later


def test_an_own_action_has_no_record() -> None:
    assert record_of(replace(LIVE, action=MoveAction.OWN_ACTION), [RECORD]) is None


def test_records_are_read_from_novas_answer() -> None:
    found = Migration.of(
        {
            "id": 7,
            "uuid": "u",
            "instance_uuid": "i",
            "migration_type": "migration",
            "status": "finished",
            "source_compute": "h1",
            "dest_compute": "h2",
            "created_at": "2030-01-01T12:00:00.000000",
            "updated_at": None,
        }
    )
    assert found == Migration("u", 7, "i", "migration", "finished", "h1", NOW)
    assert found.running is False
