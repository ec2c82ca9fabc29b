"""The files for Ceilometer that are shipped name what is in the messages, all of it."""

from datetime import datetime
from pathlib import Path

import pytest
import yaml

from fenix.domain import EventType, HostNews, Message, ProjectState, Session, SessionRequest
from fenix.engine.composer import Composer

SHIPPED = Path(__file__).resolve().parents[3] / "etc/ceilometer"
NOW = datetime(2030, 1, 1)
INTEGERS = {"sequence", "percent_done"}
TIMES = {"actions_at", "reply_at"}


def messages() -> list[Message]:
    """One of each type."""
    session = Session("s", SessionRequest("vnf", NOW, {}), "admin", NOW, NOW)
    composer = Composer(session, "http://fenix.example:12347/v1", 0)
    return [
        composer.scheduled(
            "1",
            "project",
            ProjectState.MAINTENANCE,
            NOW,
            instance_ids=["i"],
            reply_by=NOW,
            actions_at=NOW,
            single=False,
        ),
        composer.host("2", "compute-1", HostNews.IN_MAINTENANCE, NOW),
        composer.session("MAINTENANCE_DONE", 100, "", NOW),
    ]


@pytest.mark.parametrize("message", messages(), ids=lambda one: one.event_type)
def test_event_definitions(message: Message) -> None:
    definitions = yaml.safe_load((SHIPPED / "event_definitions.yaml").read_text())
    assert [one["event_type"] for one in definitions] == list(EventType)
    (traits,) = [one["traits"] for one in definitions if one["event_type"] == message.event_type]
    assert {name: trait["fields"] for name, trait in traits.items()} == {
        **{name: f"payload.{name}" for name in message.payload},
        "tenant_id": "payload.project_id",
    }
    typed = {name: trait["type"] for name, trait in traits.items() if "type" in trait}
    assert typed == {
        name: "int" if name in INTEGERS else "datetime"
        for name in traits
        if name in INTEGERS | TIMES
    }


def test_event_pipeline() -> None:
    found = yaml.safe_load((SHIPPED / "event_pipeline.yaml").read_text())
    (source,), (sink,) = found["sources"], found["sinks"]
    assert source["sinks"] == [sink["name"]]
    assert all(event_type.startswith("maintenance.") for event_type in EventType)
    assert source["events"] == ["maintenance.*"]
    assert sink["publishers"] == ["notifier://?topic=alarm.all"]
