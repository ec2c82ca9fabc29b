"""What becomes of Fenix's messages between the bus and an alarm's URL, with the shipped files."""

import ast
import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import yaml
from devcloud.settings import Settings
from keystoneauth1.session import Session
from oslo_config import cfg

from fenix.domain import HostNews, Message, ProjectState, SessionRequest
from fenix.domain import Session as Maintenance
from fenix.engine.composer import Composer
from fenix.manager.notice import Notice, payload_of
from fenix.messaging.bus import create
from tests.openstack.listening import Heard, receiver
from tests.openstack.telemetry import alarm, running_telemetry

pytestmark = pytest.mark.openstack

BURST = 60
EVENTS = ("maintenance.scheduled", "maintenance.host", "maintenance.session")
NOW = datetime(2030, 1, 1, 12)


def compose(project_id: str) -> list[Message]:
    """A burst of messages as the engine writes them, of all three types."""
    session = Maintenance(
        id="4f1f4f7e-0b5c-4f2d-9d25-9a1b1d1a2c3d",
        request=SessionRequest(
            workflow="vnf", maintenance_at=NOW, metadata={"openstack": {"version": "2026.2"}}
        ),
        admin_project_id=project_id,
        created_at=NOW,
        updated_at=NOW,
    )
    composer = Composer(session, "http://fenix.example:12347/v1", 0)
    made = [
        composer.scheduled(
            f"key-{number}",
            project_id,
            ProjectState.PLANNED_MAINTENANCE,
            NOW,
            instance_ids=[f"instance-{number}"],
            reply_by=NOW,
            actions_at=NOW,
            single=True,
        )
        for number in range(BURST)
    ]
    host = composer.host("host:1", "compute-1", HostNews.IN_MAINTENANCE, NOW)
    return [*made, host, composer.session("MAINTENANCE_DONE", 100, "all is well", NOW)]


@pytest.fixture(scope="module")
def arrived(devcloud: Settings, admin: Session) -> Iterator[tuple[list[Message], list[Heard]]]:
    """A burst, and what was posted for it."""
    with ExitStack() as stack:
        stack.enter_context(running_telemetry())
        url, ear = stack.enter_context(receiver())
        for event_type in EVENTS:
            stack.enter_context(alarm(admin, url, event_type))
        sent = compose(str(admin.get_project_id()))
        asyncio.run(publish(devcloud.transport_url, sent))
        ear.wait("all alarms", lambda heard: len(heard) >= len(sent), 60)
        yield sent, ear.heard


async def publish(transport_url: str, sent: list[Message]) -> None:
    """Sends messages as Fenix's engine does, one after the other."""
    conf = cfg.ConfigOpts()
    conf([])
    create(conf)  # registers oslo.messaging's options
    conf.set_override("transport_url", transport_url)
    channel = create(conf)
    for one in sent:
        await channel.send(one, None)
    await channel.close()


def traits(heard: Heard) -> dict[str, Any]:
    return {name: value for name, _, value in heard.body["reason_data"]["event"]["traits"]}


def test_each_message_comes_once_with_its_own_id_and_number(
    arrived: tuple[list[Message], list[Heard]], capsys: pytest.CaptureFixture[str]
) -> None:
    sent, heard = arrived
    found = [traits(each) for each in heard]
    assert len(found) == len(sent)
    assert {one["message_id"]: one["sequence"] for one in found} == {
        one.id: one.sequence for one in sent
    }
    by_number = sorted(found, key=lambda one: one["sequence"])
    assert [one["state"] for one in by_number] == [one.state for one in sent]
    assert {one["session_id"] for one in found} == {sent[0].payload["session_id"]}
    numbers = [one["sequence"] for one in found]
    late = sum(later < earlier for earlier, later in pairwise(numbers))
    with capsys.disabled():
        print(f"\n{late} of {len(numbers)} events overtaken in a burst")  # noqa: T201


def test_no_value_is_lost_or_changed(arrived: tuple[list[Message], list[Heard]]) -> None:
    """Every field is a trait: what the definitions leave out would be missing here."""
    sent, heard = arrived
    found = {one["message_id"]: one for one in map(traits, heard)}
    for message in sent:
        one = found[message.id]
        for name, value in message.payload.items():
            told = one[name]
            if isinstance(value, list | dict):
                assert ast.literal_eval(told) == yaml.safe_load(told) == value
            elif not name.endswith("_at"):
                assert told == value, name
            else:
                assert datetime.fromisoformat(told).replace(tzinfo=None) == NOW


def test_the_manager_reads_what_fenix_wrote(arrived: tuple[list[Message], list[Heard]]) -> None:
    sent, heard = arrived
    written = {one.id: one for one in sent}
    read = 0
    for each in heard:
        payload = payload_of({}, each.body)
        if payload is None:
            continue  # for the administrator
        notice = Notice.from_payload(payload)
        message = written[notice.id]
        assert notice.sequence == message.sequence
        assert notice.instance_ids == message.instance_ids
        assert notice.reply_url == message.payload["reply_url"]
        assert notice.metadata == message.payload["metadata"]
        read += 1
    assert read == BURST
