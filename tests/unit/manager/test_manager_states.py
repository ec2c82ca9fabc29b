"""What the manager does and replies in each state, in the shapes of both workflows."""

from typing import Any, Literal

import pytest
from manager_lab import CAPABILITIES, Cloud, Fenix, StartManager, Writer, ids

SESSION_PATH = "/v1/maintenance/session-1/app"

FORMATS = pytest.mark.parametrize("body_format", ["aodh", "cloudevents"])


@FORMATS
def test_a_session_is_agreed_to_when_it_means_us(
    start_manager: StartManager,
    fenix: Fenix,
    write: Writer,
    body_format: Literal["aodh", "cloudevents"],
) -> None:
    fenix.instance_ids = ids(["ha-0", "worker-1"])
    start_manager().post(write("MAINTENANCE"), body_format)
    reply = fenix.reply()
    assert (reply.path, reply.body) == (
        SESSION_PATH,
        {"session_id": "session-1", "state": "ACK_MAINTENANCE"},
    )
    assert reply.headers["x-project-id"] == "app"
    assert [call.path for call in fenix.matching("GET", "")] == [SESSION_PATH]


def test_a_session_about_foreign_instances_is_refused(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    fenix.instance_ids = ["id-ha-0", "id-of-somebody"]
    start_manager().post(write("MAINTENANCE"))
    assert fenix.reply().body["state"] == "NACK_MAINTENANCE"


@FORMATS
def test_scale_in_deletes_the_last_removable_ones_and_complete_brings_them_back(
    start_manager: StartManager,
    fenix: Fenix,
    cloud: Cloud,
    write: Writer,
    body_format: Literal["aodh", "cloudevents"],
) -> None:
    manager = start_manager(scale_in=2)
    before = cloud.names()
    manager.post(write("SCALE_IN"), body_format)
    assert fenix.reply().body["state"] == "ACK_SCALE_IN"
    # When the reply arrives they are gone.
    assert cloud.names() == ["ha-0", "ha-1", "worker-0", "worker-1"]
    assert manager.status()["missing"] == ["worker-3", "worker-2"]

    manager.post(write("MAINTENANCE_COMPLETE"), body_format)
    assert fenix.reply(2).body["state"] == "ACK_MAINTENANCE_COMPLETE"
    assert cloud.names() == before
    assert manager.status()["missing"] == []
    assert cloud.id_of("worker-3") != "id-worker-3"
    assert cloud.active() == "ha-0"


def test_scale_in_goes_on_until_nothing_is_left(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(scale_in=3)
    for number, state in enumerate(["ACK_SCALE_IN", "ACK_SCALE_IN", "NACK_SCALE_IN"], 1):
        manager.post(write("SCALE_IN"))
        assert fenix.reply(number).body["state"] == state
    assert cloud.names() == ["ha-0", "ha-1"]
    manager.post(write("MAINTENANCE_COMPLETE"))
    fenix.reply(4)
    assert len(cloud.names()) == 6


def test_scale_in_never_takes_more_than_the_maximum(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(scale_in=2, scale_in_max=3)
    for number, state in enumerate(["ACK_SCALE_IN", "ACK_SCALE_IN", "NACK_SCALE_IN"], 1):
        manager.post(write("SCALE_IN"))
        assert fenix.reply(number).body["state"] == state
    assert cloud.names() == ["ha-0", "ha-1", "worker-0"]


def test_scale_in_spares_the_active_instance_whatever_is_removable(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    start_manager(removable=("pair", "worker-*"), scale_in=9).post(write("SCALE_IN"))
    assert fenix.reply().body["state"] == "ACK_SCALE_IN"
    assert cloud.names() == ["ha-0"]


def test_scale_in_is_refused_where_nothing_is_removable(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    start_manager(removable=()).post(write("SCALE_IN"))
    assert fenix.reply().body["state"] == "NACK_SCALE_IN"
    assert len(cloud.names()) == 6


@pytest.mark.parametrize("state", ["PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"])
def test_in_default_one_reply_names_an_action_for_each_instance(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer, state: str
) -> None:
    fenix.instance_ids = ids(["ha-0", "worker-0"])
    manager = start_manager(action="MIGRATE", actions={"worker-*": "LIVE_MIGRATE"})
    manager.post(write(state, "id-ha-0", "id-worker-0"))
    reply = fenix.reply()
    assert (reply.path, reply.body) == (
        SESSION_PATH,
        {
            "session_id": "session-1",
            "state": f"ACK_{state}",
            "instance_actions": {"id-ha-0": "MIGRATE", "id-worker-0": "LIVE_MIGRATE"},
        },
    )
    # The standby took over before the reply.
    assert cloud.active() == "ha-1"
    assert manager.status()["promised"] == ["id-ha-0", "id-worker-0"]


@pytest.mark.parametrize("state", ["PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"])
@FORMATS
def test_in_vnf_each_instance_has_a_reply_of_its_own(
    start_manager: StartManager,
    fenix: Fenix,
    cloud: Cloud,
    write: Writer,
    state: str,
    body_format: Literal["aodh", "cloudevents"],
) -> None:
    manager = start_manager(action="LIVE_MIGRATE")
    manager.post(write(state, "id-ha-0", single=True), body_format)
    reply = fenix.reply()
    assert (reply.path, reply.body) == (
        f"{SESSION_PATH}/id-ha-0",
        {
            "session_id": "session-1",
            "state": f"ACK_{state}",
            "instance_action": "LIVE_MIGRATE",
        },
    )
    assert fenix.matching("GET", "") == []
    assert cloud.active() == "ha-1"


def test_a_standby_moves_without_a_switch_over(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    start_manager().post(write("PLANNED_MAINTENANCE", "id-ha-1", single=True))
    assert fenix.reply().body["state"] == "ACK_PLANNED_MAINTENANCE"
    assert cloud.active() == "ha-0"
    assert "floating_ip.moved" not in cloud.happened()


def test_both_of_a_pair_at_once_leave_nothing_to_switch_to(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    fenix.instance_ids = ids(["ha-0", "ha-1"])
    start_manager().post(write("PLANNED_MAINTENANCE", *fenix.instance_ids))
    assert fenix.reply().body["state"] == "ACK_PLANNED_MAINTENANCE"
    assert cloud.active() == "ha-0"


@pytest.mark.parametrize("single", [True, False])
def test_an_own_action_is_done_before_the_reply(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer, single: bool
) -> None:
    fenix.instance_ids = ["id-ha-0"]
    manager = start_manager(actions={"ha-*": "OWN_ACTION"})
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-0", single=single))
    reply = fenix.reply().body
    named: Any = reply["instance_action"] if single else reply["instance_actions"]
    assert named == ("OWN_ACTION" if single else {"id-ha-0": "OWN_ACTION"})
    new = cloud.id_of("ha-0")
    assert new != "id-ha-0"
    assert (cloud.names(), cloud.active()) == (sorted(["ha-0", "ha-1", *workers()]), "ha-1")
    status = manager.status()
    assert status["promised"] == []
    assert status["capabilities"] == {new: CAPABILITIES}


def test_an_own_action_that_finds_no_place_is_refused(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    for host in cloud.world.hosts.values():
        host.enabled = False
    manager = start_manager(action="OWN_ACTION")
    manager.post(write("PLANNED_MAINTENANCE", "id-worker-0", single=True))
    assert fenix.reply().body["state"] == "NACK_PLANNED_MAINTENANCE"
    assert cloud.id_of("worker-0") == "id-worker-0"
    assert manager.status()["promised"] == []


def test_an_action_that_fenix_does_not_allow_gives_way(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    manager = start_manager(action="OWN_ACTION")
    message = write("PLANNED_MAINTENANCE", "id-worker-0", single=True)
    message.payload = {**message.payload, "allowed_actions": ["MIGRATE"]}
    manager.post(message)
    assert fenix.reply().body["instance_action"] == "MIGRATE"


def test_a_question_about_a_foreign_instance_is_refused(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    start_manager().post(write("PLANNED_MAINTENANCE", "id-of-somebody", single=True))
    reply = fenix.reply()
    assert reply.body == {"session_id": "session-1", "state": "NACK_PLANNED_MAINTENANCE"}
    assert reply.path.endswith("/id-of-somebody")


@pytest.mark.parametrize(
    ("state", "capabilities"),
    [("PLANNED_MAINTENANCE", {"id-ha-1": CAPABILITIES}), ("PREPARE_MAINTENANCE", {})],
)
def test_a_finished_move_is_noted_and_not_answered(
    start_manager: StartManager,
    fenix: Fenix,
    write: Writer,
    state: str,
    capabilities: dict[str, Any],
) -> None:
    manager = start_manager()
    manager.post(write(state, "id-ha-1", single=True))
    fenix.reply()
    manager.post(write("INSTANCE_ACTION_DONE", "id-ha-1", single=True))
    status = manager.status()
    assert status["promised"] == []
    # New capabilities come with a maintained host, not with one that only makes room.
    assert status["capabilities"] == capabilities
    assert status["messages"][-1]["state"] == "INSTANCE_ACTION_DONE"
    assert len(fenix.replies()) == 1


def workers() -> list[str]:
    return [f"worker-{n}" for n in range(4)]
