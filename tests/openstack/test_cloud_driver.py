"""The driver's moves, on a real Nova."""

import asyncio
from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from devcloud import hypervisor

from fenix.clouds import CloudError, MovePhase, MoveStatus, MoveTicket
from fenix.clouds.openstack import OpenStackCloud
from fenix.domain import MoveAction
from fenix.planning import Room
from tests.openstack.lab import HOSTS, PATIENCE, Lab, utcnow

pytestmark = pytest.mark.openstack
H1, H2, H3 = HOSTS
LIVE, COLD = MoveAction.LIVE_MIGRATE, MoveAction.MIGRATE


def ticket(lab: Lab, instance: str, action: MoveAction, target: str | None = None) -> MoveTicket:
    return MoveTicket(instance, action, lab.host_of(instance), target, utcnow())


def start(cloud: OpenStackCloud, move: MoveTicket) -> None:
    asyncio.run(cloud.start_move(move.instance_id, move.action, move.target))


def outcome(cloud: OpenStackCloud, move: MoveTicket) -> MoveStatus:
    """What the watch says when the move is not simply running any more."""
    [status] = asyncio.run(cloud.watch_moves([move], PATIENCE))
    return status


def now(cloud: OpenStackCloud, move: MoveTicket) -> MovePhase:
    """How the move stands at this moment."""
    found = asyncio.run(cloud.watch_moves([move], 0))
    return found[0].phase if found else MovePhase.RUNNING


def moved(cloud: OpenStackCloud, move: MoveTicket) -> MoveStatus:
    start(cloud, move)
    return outcome(cloud, move)


@pytest.mark.parametrize("target", [None, H3])
def test_live_migration(cloud: OpenStackCloud, lab: Lab, target: str | None) -> None:
    instance = lab.boot("a", H1)
    move = ticket(lab, instance, LIVE, target)
    assert now(cloud, move) is MovePhase.NOT_STARTED
    status = moved(cloud, move)
    assert status.phase is MovePhase.DONE
    assert status.host == lab.host_of(instance) != H1
    assert target in (None, status.host)
    assert status.cloud_id == lab.migrations(instance)[0]["uuid"]
    assert status.detail == ""


def test_aggregates_keep_an_instance_out_as_planning_thinks(
    cloud: OpenStackCloud, lab: Lab
) -> None:
    lab.aggregate("fast", [H2, H3], disk="ssd")
    lab.aggregate("theirs", [H3], filter_tenant_id=uuid4().hex)
    lab.flavor("fast", **{"aggregate_instance_extra_specs:disk": "ssd"})
    instance = lab.boot("a", flavor="fast")
    assert lab.host_of(instance) == H2
    found = asyncio.run(cloud.inventory())
    obstacles = {name: Room(found).obstacle(found.instances[instance], name) for name in HOSTS}
    assert obstacles == {
        H1: "it does not offer disk=ssd",
        H2: None,
        H3: "it is kept for other projects",
    }
    for target in (H1, H3):
        assert moved(cloud, ticket(lab, instance, LIVE, target)).phase is MovePhase.FAILED
        lab.until(instance, lambda found: found["status"] == "ACTIVE")
    assert lab.host_of(instance) == H2


@pytest.mark.parametrize("target", [None, H3])
def test_cold_migration_and_confirmation(
    cloud: OpenStackCloud, lab: Lab, target: str | None
) -> None:
    instance = lab.boot("a", H1)
    move = ticket(lab, instance, COLD, target)
    status = moved(cloud, move)
    assert status.phase is MovePhase.AWAITING_CONFIRM
    asyncio.run(cloud.confirm_move(instance))
    asyncio.run(cloud.confirm_move(instance))  # at once, while Nova is at it
    status = outcome(cloud, move)
    assert status.phase is MovePhase.DONE
    assert status.host == lab.host_of(instance) != H1
    assert target in (None, status.host)
    assert lab.server(instance)["status"] == "ACTIVE"
    asyncio.run(cloud.confirm_move(instance))  # long done


def test_what_was_not_moved_cannot_be_confirmed(cloud: OpenStackCloud, lab: Lab) -> None:
    with pytest.raises(CloudError, match="confirmResize"):
        asyncio.run(cloud.confirm_move(lab.boot("a")))


def test_a_reverted_move_has_failed(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    move = ticket(lab, instance, COLD)
    assert moved(cloud, move).phase is MovePhase.AWAITING_CONFIRM
    lab.act(instance, revertResize=None)
    status = outcome(cloud, move)
    while status.phase is MovePhase.AWAITING_CONFIRM:  # Nova has not begun to revert
        status = outcome(cloud, move)
    assert (status.phase, status.host) == (MovePhase.FAILED, H1)
    assert "reverted" in status.detail


def test_a_stopped_instance_moves_cold_only(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    lab.stop(instance)
    with pytest.raises(CloudError, match=r"409.*while it is in vm_state stopped"):
        start(cloud, ticket(lab, instance, LIVE))
    move = ticket(lab, instance, COLD)
    assert moved(cloud, move).phase is MovePhase.AWAITING_CONFIRM
    asyncio.run(cloud.confirm_move(instance))
    assert outcome(cloud, move).phase is MovePhase.DONE
    assert lab.server(instance)["status"] == "SHUTOFF"


def test_a_paused_instance_moves_live_only(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    lab.act(instance, pause=None)
    lab.until(instance, lambda found: found["status"] == "PAUSED")
    with pytest.raises(CloudError, match=r"409.*while it is in vm_state paused"):
        start(cloud, ticket(lab, instance, COLD))
    assert moved(cloud, ticket(lab, instance, LIVE)).phase is MovePhase.DONE


@pytest.mark.parametrize("action", [LIVE, COLD])
def test_an_unknown_target_is_refused(cloud: OpenStackCloud, lab: Lab, action: MoveAction) -> None:
    instance = lab.boot("a", H1)
    with pytest.raises(CloudError, match=rf"POST /servers/{instance}/action: 400 .*nowhere"):
        start(cloud, ticket(lab, instance, action, "nowhere"))


def test_an_unknown_instance_is_refused(cloud: OpenStackCloud) -> None:
    with pytest.raises(CloudError, match="404"):
        asyncio.run(cloud.start_move(str(uuid4()), LIVE, None))


def test_an_own_action_is_not_the_clouds(cloud: OpenStackCloud) -> None:
    with pytest.raises(CloudError, match="by itself"):
        asyncio.run(cloud.start_move("i", MoveAction.OWN_ACTION, None))


def test_a_named_target_is_never_forced(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    lab.boot("full", H2, flavor="v4")
    status = moved(cloud, ticket(lab, instance, LIVE, H2))
    assert (status.phase, status.host) == (MovePhase.FAILED, H1)
    assert "No valid host" in status.detail


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ("live_migration", H1),
        ("pre_live_migration", H2),
        ("check_can_live_migrate_destination", H2),
    ],
)
def test_a_failing_live_migration_leaves_the_instance(
    cloud: OpenStackCloud, lab: Lab, fault: str, where: str
) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(where, fail=[fault])
    status = moved(cloud, ticket(lab, instance, LIVE, H2))
    assert (status.phase, status.host) == (MovePhase.FAILED, H1)
    assert status.cloud_id == lab.migrations(instance)[0]["uuid"]
    assert "ended as" in status.detail
    assert lab.server(instance)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("fault", "where"), [("migrate_disk_and_power_off", H1), ("finish_migration", H2)]
)
def test_a_failing_cold_migration_breaks_the_instance(
    cloud: OpenStackCloud, lab: Lab, fault: str, where: str
) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(where, fail=[fault])
    status = moved(cloud, ticket(lab, instance, COLD, H2))
    assert status.phase is MovePhase.FAILED
    assert status.host == where
    assert f"{fault} was told to fail" in status.detail
    assert lab.server(instance)["status"] == "ERROR"


def test_a_cancelled_live_migration_has_failed(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(H1, live_migration_s=PATIENCE)
    move = ticket(lab, instance, LIVE)
    start(cloud, move)
    record = until_running(lab, instance)
    assert now(cloud, move) is MovePhase.RUNNING
    lab.compute.delete(f"/servers/{instance}/migrations/{record}")
    status = outcome(cloud, move)
    assert (status.phase, status.host) == (MovePhase.FAILED, H1)
    assert "cancelled" in status.detail


def until_running(lab: Lab, instance: str) -> int:
    """Waits until the instance's live migration runs; its number."""
    return lab.eventually(
        lambda: next((m["id"] for m in lab.migrations(instance) if m["status"] == "running"), None)
    )


def test_an_instance_that_vanishes(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(H1, live_migration_s=2)
    move = ticket(lab, instance, LIVE)
    start(cloud, move)
    until_running(lab, instance)
    asyncio.run(cloud.delete_instance(instance))
    status = outcome(cloud, move)
    assert status == MoveStatus(instance, MovePhase.GONE)
    asyncio.run(cloud.delete_instance(instance))  # gone already
    assert now(cloud, move) is MovePhase.GONE


def test_an_instance_that_never_was(cloud: OpenStackCloud) -> None:
    never = str(uuid4())
    asyncio.run(cloud.delete_instance(never))
    move = MoveTicket(never, LIVE, H1, None, utcnow())
    assert now(cloud, move) is MovePhase.GONE


def test_earlier_moves_are_not_meant(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    first = moved(cloud, ticket(lab, instance, LIVE, H2))
    back = moved(cloud, ticket(lab, instance, LIVE, H1))
    assert first.cloud_id
    assert back.cloud_id
    again = ticket(lab, instance, LIVE, H2)
    assert outcome(cloud, again).cloud_id == first.cloud_id  # the one that left this source
    again = replace(again, known=frozenset({first.cloud_id, back.cloud_id}))
    assert now(cloud, again) is MovePhase.NOT_STARTED
    status = moved(cloud, again)
    assert (status.phase, status.host) == (MovePhase.DONE, H2)
    assert status.cloud_id not in again.known


def test_an_instance_that_somebody_else_moved(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    move = ticket(lab, instance, COLD)
    lab.act(instance, **{"os-migrateLive": {"host": H3, "block_migration": "auto"}})
    lab.until(instance, lambda found: found["OS-EXT-SRV-ATTR:host"] == H3)
    assert outcome(cloud, move) == MoveStatus(instance, MovePhase.DONE, H3)


def test_a_wait_that_ends_without_news(cloud: OpenStackCloud, lab: Lab) -> None:
    instance = lab.boot("a", H1)
    hypervisor.behave(H1, live_migration_s=PATIENCE)
    move = ticket(lab, instance, LIVE)
    start(cloud, move)
    until_running(lab, instance)
    assert asyncio.run(cloud.watch_moves([move], 0.5)) == []
    hypervisor.reset(H1)
    assert outcome(cloud, move).phase is MovePhase.DONE
    assert asyncio.run(cloud.watch_moves([], 0.5)) == ()


def test_looks_cost_the_same_however_many_moves(cloud: OpenStackCloud, lab: Lab) -> None:
    instances = [lab.boot(f"a{n}", H1) for n in range(4)]
    hypervisor.behave(H1, live_migration_s=PATIENCE)
    tickets = [ticket(lab, instance, LIVE) for instance in instances]
    for move in tickets:
        start(cloud, move)
        until_running(lab, move.instance_id)
    for some in (tickets[:1], tickets):
        cloud.calls.clear()
        assert asyncio.run(cloud.watch_moves(some, 0)) == []
        assert cloud.calls == Counter({"GET /os-migrations": 1, "GET /servers/{id}": 1})
    hypervisor.reset(H1)
    done: dict[str, MoveStatus] = {}
    while left := [move for move in tickets if move.instance_id not in done]:
        found = asyncio.run(cloud.watch_moves(left, PATIENCE))
        assert found, "no move ended in time"
        done |= {status.instance_id: status for status in found}
    assert {status.phase for status in done.values()} == {MovePhase.DONE}
    assert all(UUID(status.cloud_id or "") for status in done.values())
