"""Messages that come twice, too late, in the wrong order, or from somebody else."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from manager_lab import LIMIT, PROJECT, Cloud, Fenix, StartManager, Writer, client
from standardwebhooks import Webhook

from fenix.domain import EventType
from fenix.messaging.bodies import aodh_body, cloudevents_body


def test_a_message_that_comes_twice_is_dealt_with_once(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager()
    message = write("SCALE_IN")
    manager.post(message)
    manager.post(message, "cloudevents")
    fenix.reply()
    manager.post(message)
    # The next question is answered after all that came before it.
    manager.post(write("MAINTENANCE"))
    assert fenix.reply(2).body["state"] == "ACK_MAINTENANCE"
    assert cloud.happened()["instance.deleted"] == 2
    assert len(manager.status()["messages"]) == 2


def test_a_reply_is_repeated_until_fenix_takes_it(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    fenix.answers["PUT"] = [503, 500, 429]
    start_manager().post(write("SCALE_IN"))
    fenix.reply(4)
    assert [reply["state"] for reply in fenix.replies()] == ["ACK_SCALE_IN"] * 4
    assert cloud.happened()["instance.deleted"] == 2


def test_a_message_whose_reply_was_given_up_is_dealt_with_again(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(patience=0.0)
    fenix.answers["PUT"] = [503]
    message = write("SCALE_IN")
    manager.post(message)
    fenix.reply()
    assert manager.status()["messages"][0]["answer"] is None
    # Only when the first attempt is over does a repetition count; until then it changes nothing.
    limit = time.monotonic() + LIMIT
    while len(fenix.replies()) < 2 and time.monotonic() < limit:
        manager.post(message)
    assert fenix.reply(2).body["state"] == "ACK_SCALE_IN"
    assert cloud.happened()["instance.deleted"] == 2


def test_a_reply_that_fenix_refuses_is_not_repeated(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    manager = start_manager()
    fenix.answers["PUT"] = [404]
    manager.post(write("MAINTENANCE"))
    fenix.reply()
    manager.post(write("MAINTENANCE"))
    fenix.reply(2)
    assert len(fenix.replies()) == 2


def test_fenix_is_asked_again_for_the_instances(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    fenix.answers["GET"] = [502, 401]
    start_manager().post(write("MAINTENANCE"))
    assert fenix.reply().body["state"] == "ACK_MAINTENANCE"
    assert len(fenix.matching("GET", "")) == 3


def test_instances_that_fenix_does_not_tell_are_a_refusal(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    fenix.answers["GET"] = [403]
    start_manager().post(write("MAINTENANCE"))
    assert fenix.reply().body["state"] == "NACK_MAINTENANCE"


def test_a_burst_is_answered_in_the_order_in_which_fenix_asked(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(reorder=0.5)
    first = write("PLANNED_MAINTENANCE", "id-ha-0", single=True)
    second = write("PLANNED_MAINTENANCE", "id-ha-1", single=True)
    moved = write("INSTANCE_ACTION_DONE", "id-ha-0", single=True)
    manager.post(second)
    manager.post(first)
    # The first has a standby. The second is active then, and its standby is away.
    assert fenix.reply().path.endswith("/id-ha-0")
    assert cloud.active() == "ha-1"
    manager.post(moved)
    assert fenix.reply(2).path.endswith("/id-ha-1")
    assert cloud.active() == "ha-0"


def test_a_move_that_ended_before_its_question_was_seen_leaves_no_promise(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    """Fenix may go on without our answer, when that comes too late for it."""
    manager = start_manager()
    question = write("PLANNED_MAINTENANCE", "id-ha-1", single=True)
    manager.post(write("INSTANCE_ACTION_DONE", "id-ha-1", single=True))
    manager.post(question)
    fenix.reply()
    assert manager.status()["promised"] == []
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-1", single=True))
    fenix.reply(2)
    assert manager.status()["promised"] == ["id-ha-1"]


def test_the_active_one_waits_until_its_standby_has_been_moved(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager()
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-1", single=True))
    fenix.reply()
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-0", single=True))
    # Others do not wait.
    manager.post(write("PLANNED_MAINTENANCE", "id-worker-0", single=True))
    assert fenix.reply(2).path.endswith("/id-worker-0")
    assert cloud.active() == "ha-0"
    manager.post(write("INSTANCE_ACTION_DONE", "id-ha-1", single=True))
    reply = fenix.reply(3)
    assert (reply.path.rsplit("/", 1)[1], reply.body["state"]) == (
        "id-ha-0",
        "ACK_PLANNED_MAINTENANCE",
    )
    assert cloud.active() == "ha-1"


def test_the_active_one_is_not_given_away_without_a_standby(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager(switch_over_timeout=0.05)
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-1", single=True))
    fenix.reply()
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-0", single=True))
    assert fenix.reply(2).body["state"] == "NACK_PLANNED_MAINTENANCE"
    assert cloud.active() == "ha-0"
    assert manager.status()["promised"] == ["id-ha-1"]


def test_a_new_session_takes_back_old_promises(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    manager = start_manager()
    manager.post(write("PLANNED_MAINTENANCE", "id-ha-1", single=True))
    fenix.reply()
    manager.post(write("MAINTENANCE"))
    fenix.reply(2)
    assert manager.status()["promised"] == []


def test_a_scale_in_that_comes_after_the_end_deletes_nothing(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    manager = start_manager()
    late = write("SCALE_IN")
    manager.post(write("MAINTENANCE_COMPLETE"))
    fenix.reply()
    manager.post(late)
    assert fenix.reply(2).body["state"] == "NACK_SCALE_IN"
    assert len(cloud.names()) == 6


def test_the_token_never_goes_to_another_place(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    manager = start_manager()
    message = write("SCALE_IN")
    message.payload = {**message.payload, "reply_url": "http://evil.example/steal"}
    answer = manager.post_raw(json=aodh_body(message))
    assert (answer.status_code, "no URL of Fenix's API" in answer.text) == (400, True)
    # With a path of Fenix's it is Fenix that gets the reply.
    message.payload = {
        **message.payload,
        "reply_url": "http://evil.example/prefix/v1/maintenance/s/app",
    }
    manager.post(message)
    assert fenix.reply().path == "/v1/maintenance/s/app"


def test_what_is_not_for_applications_is_left_alone(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    manager = start_manager()
    for change in ({"event_type": EventType.HOST}, {"state": "TEST"}):
        message = write("SCALE_IN")
        if "event_type" in change:
            message.event_type = EventType.HOST
        else:
            message.payload = {**message.payload, **change}
        for body in (aodh_body(message), cloudevents_body(message)):
            assert manager.post_raw(json=body).status_code == 200
    assert manager.status()["messages"] == []


def test_binary_cloudevents_are_understood(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    event = cloudevents_body(write("SCALE_IN"))
    data = event.pop("data")
    headers = {f"ce-{name}": str(value) for name, value in event.items()}
    assert start_manager().post_raw(json=data, headers=headers).status_code == 200
    assert fenix.reply().body["state"] == "ACK_SCALE_IN"


@pytest.mark.parametrize(
    ("trait", "value", "complaint"),
    [
        ("state", "RESTING", "state: 'RESTING' is not valid; allowed: MAINTENANCE, SCALE_IN"),
        ("session_id", None, "session_id: None is not valid; allowed: a text"),
        ("reply_url", "", "reply_url: '' is not valid"),
        ("instance_ids", None, "instance_ids: None is not valid"),
        ("metadata", "{'cut': 'of", "metadata: \\\"{'cut': 'of\\\" is not valid"),
    ],
)
def test_malformed_messages_are_refused_by_name(
    start_manager: StartManager, write: Writer, trait: str, value: str | None, complaint: str
) -> None:
    body = aodh_body(write("SCALE_IN"))
    event = body["reason_data"]["event"]
    event["traits"] = [list(each) for each in event["traits"] if each[0] != trait]
    if value is not None:
        event["traits"].append([trait, 1, value])
    answer = start_manager().post_raw(json=body)
    assert (answer.status_code, complaint in answer.text) == (400, True), answer.text


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"specversion": "1.0"}', "7", "null"])
def test_what_is_no_message_is_refused(start_manager: StartManager, content: str) -> None:
    assert start_manager().post_raw(content=content).status_code == 400


def test_a_real_alarm_has_a_new_event_id_each_time(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    """Over the bus the same message gets another id of oslo.messaging at each send."""
    manager = start_manager()
    message = write("SCALE_IN")
    for ident in ("first", "second"):
        body = aodh_body(message)
        body["reason_data"]["event"]["message_id"] = ident
        assert manager.post_raw(json=body).status_code == 200
    fenix.reply()
    manager.post(write("MAINTENANCE"))
    fenix.reply(2)
    assert cloud.happened()["instance.deleted"] == 2


def test_an_alarm_without_our_own_traits_is_enough(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    """Older event definitions of Ceilometer know neither `message_id` nor `sequence`."""
    body = aodh_body(write("SCALE_IN"))
    event = body["reason_data"]["event"]
    event["traits"] = [t for t in event["traits"] if t[0] not in ("message_id", "sequence")]
    assert start_manager(reorder=5.0).post_raw(json=body).status_code == 200
    assert fenix.reply().body["state"] == "ACK_SCALE_IN"


def test_a_cloud_that_is_away_is_waited_for(
    start_manager: StartManager, fenix: Fenix, cloud: Cloud, write: Writer
) -> None:
    away = cloud.world.instances.pop("id-worker-3")
    host = cloud.world.hosts.pop("a")  # deleting worker-3 gives a 500 now
    cloud.world.instances[away.id] = away
    manager = start_manager()
    manager.post(write("SCALE_IN"))
    with client(cloud.url) as http:
        lines = http.get("/events", params={"wait": LIMIT}).text  # worker-2 is gone
    assert lines
    cloud.world.instances[away.id] = away
    cloud.world.hosts["a"] = host
    assert fenix.reply().body["state"] == "ACK_SCALE_IN"
    assert [i["name"] for i in cloud.instances()] == ["ha-0", "ha-1", "worker-0", "worker-1"]
    assert {i.project_id for i in cloud.world.instances.values()} == {PROJECT}


def test_only_messages_with_our_signature_are_taken(
    start_manager: StartManager, fenix: Fenix, write: Writer
) -> None:
    secret, other = ("whsec_" + letter * 32 for letter in "AB")
    manager = start_manager(secret=secret, subscribe=True)
    asked = fenix.wait(lambda: fenix.matching("POST", "/v1/subscription"), "a subscription")
    assert asked[0].body["secret"] == secret
    message = write("MAINTENANCE")
    body = json.dumps(cloudevents_body(message)).encode()
    now = datetime.now(UTC)
    early = now - timedelta(minutes=6)

    def status(secret: str, at: datetime = now, **headers: str) -> int:
        signed = {
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(message.id, at, body.decode()),
        }
        return manager.post_raw(content=body, headers=signed | headers).status_code

    assert manager.post_raw(content=body).status_code == 401
    assert status(other) == 401
    assert status(secret, early) == 401
    assert status(secret, **{"webhook-id": "another"}) == 401
    for senseless in ("v1", "v1,", "v1,x x", "v2,AAAA", ","):
        assert status(secret, **{"webhook-signature": senseless}) == 401
    assert manager.status()["messages"] == []
    both = f"{Webhook(other).sign(message.id, now, body.decode())} "
    both += Webhook(secret).sign(message.id, now, body.decode())
    assert status(secret, **{"webhook-signature": both}) == 200
    assert fenix.reply().body["state"] == "ACK_MAINTENANCE"


def test_a_body_without_end_is_not_read(
    start_manager: StartManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = start_manager()
    assert manager.post_raw(content=b" " * (2 << 20)).status_code == 413
    monkeypatch.setattr("fenix.manager.app.SLOWEST", 0.2)
    where = urlsplit(manager.url)
    with socket.create_connection((where.hostname or "", where.port or 0), LIMIT) as connection:
        connection.sendall(b"POST /maintenance HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
