"""What the wire contract says of messages, written as checks (wire contract, "Messages")."""

import ast
from datetime import datetime
from typing import Any
from uuid import UUID

import yaml

Json = dict[str, Any]

STATES = {
    "maintenance.scheduled": {
        "MAINTENANCE",
        "SCALE_IN",
        "PREPARE_MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "INSTANCE_ACTION_DONE",
        "MAINTENANCE_COMPLETE",
    },
    "maintenance.host": {
        "IN_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
        "MAINTENANCE_FAILED",
        "HOST_ADDED",
        "HOST_REMOVED",
    },
    "maintenance.session": {
        "MAINTENANCE",
        "SCALE_IN",
        "PREPARE_MAINTENANCE",
        "START_MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
        "MAINTENANCE_DONE",
        "MAINTENANCE_FAILED",
    },
}
ACTIONS = {"MIGRATE", "LIVE_MIGRATE", "OWN_ACTION"}
MOVING = {"PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"}


def check_notification(body: Json) -> None:
    """A notification of format 1 as it is on the bus."""
    assert body["publisher_id"] == "fenix"
    assert body["priority"] == "INFO"
    UUID(body["message_id"])
    datetime.fromisoformat(body["timestamp"])
    assert not any(value for name, value in body.items() if name.startswith("_context_")), body
    assert "oslo.message" not in body
    check_payload(body["event_type"], body["payload"])


def check_payload(event_type: str, payload: Json) -> None:
    """A payload, whichever way it came."""
    for name in ("service", "project_id", "session_id", "state", "message_id"):
        assert isinstance(payload[name], str), (name, payload)
        assert payload[name], (name, payload)
    assert payload["service"] == "fenix"
    assert payload["state"] in STATES[event_type], payload
    UUID(payload["session_id"])
    UUID(payload["message_id"])
    UUID(payload["project_id"])
    assert payload["sequence"] > 0
    for name, value in payload.items():
        assert value is not None, f"{name} is dropped by Ceilometer"
        text = str(value)
        assert len(text) < 255, (name, text)
        if isinstance(value, list | dict):
            assert ast.literal_eval(text) == value
            assert yaml.safe_load(text) == value
    if event_type == "maintenance.scheduled":
        _check_scheduled(payload)
    elif event_type == "maintenance.host":
        assert payload["host"]
    else:
        assert 0 <= payload["percent_done"] <= 100


def _check_scheduled(payload: Json) -> None:
    """For workflow `default`: URLs but for INSTANCE_ACTION_DONE."""
    url = f"/v1/maintenance/{payload['session_id']}/{payload['project_id']}"
    assert payload["reply_url"].startswith("http")
    assert payload["reply_url"].endswith(url)
    if payload["state"] == "INSTANCE_ACTION_DONE":
        [ident] = payload["instance_ids"]
        UUID(ident)
    else:
        assert payload["instance_ids"] == payload["reply_url"]
    allowed = payload["allowed_actions"]
    assert len(allowed) == len(set(allowed))
    assert set(allowed) == (ACTIONS if payload["state"] in MOVING else set())
    for name in ("actions_at", "reply_at"):
        assert datetime.fromisoformat(payload[name]).tzinfo is None
        assert len(payload[name]) == len("2026-01-01T00:00:00")
    assert datetime.fromisoformat(payload["reply_at"]) <= datetime.fromisoformat(
        payload["actions_at"]
    )
    assert isinstance(payload["metadata"], dict)
