from datetime import datetime
from typing import Any

import pytest

from fenix.domain import EventType, Message

SESSION = "aaaaaaaa-0000-4000-8000-000000000001"
PROJECT = "c9ae0b26c9ae0b26c9ae0b26c9ae0b26"
URL = f"http://127.0.0.1:12347/v1/maintenance/{SESSION}/{PROJECT}"


@pytest.fixture
def payload() -> dict[str, Any]:
    return {
        "service": "fenix",
        "project_id": PROJECT,
        "session_id": SESSION,
        "state": "PLANNED_MAINTENANCE",
        "instance_ids": ["0c1cd6ef-3a58-4d7c-8d4c-60e8a9b52e0a"],
        "reply_url": URL,
        "allowed_actions": ["MIGRATE", "LIVE_MIGRATE", "OWN_ACTION"],
        "actions_at": "2026-11-23T10:00:00",
        "reply_at": "2026-11-22T16:00:00",
        "metadata": {"openstack": "upgrade", "deep": {"x": [1, 2]}, "null": None},
    }


@pytest.fixture
def message(payload: dict[str, Any]) -> Message:
    return Message(
        id="61f4be11-0000-4000-8000-000000000002",
        key="planned:1",
        sequence=7,
        event_type=EventType.SCHEDULED,
        project_id=PROJECT,
        state="PLANNED_MAINTENANCE",
        payload=payload,
        created_at=datetime(2026, 11, 22, 14, 59, 29, 13051),
    )
