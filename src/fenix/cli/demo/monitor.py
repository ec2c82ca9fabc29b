"""The demo's monitoring: gets the news of hosts, as what watches a real cloud would.

It writes them into the cloud's event log at once, so that the log shows what was known when.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request

from fenix.clouds.simulated.eventlog import EventLog
from fenix.domain import EventType, Message

PATH = "/monitor"
EVENT = "monitor.heard"


def add_monitor(app: FastAPI) -> None:
    """Adds the monitoring to the simulated cloud's application."""
    seen: set[str] = set()

    @app.post(PATH)
    async def hear(request: Request) -> dict[str, Any]:
        event = await request.json()
        if event["id"] not in seen:
            seen.add(event["id"])
            log: EventLog = request.app.state.log
            log.write(asyncio.get_running_loop().time(), EVENT, {"message": event})
        return {}


def subscription(url: str) -> dict[str, Any]:
    """What the operator asks Fenix for.

    Args:
        url: the simulated cloud's.
    """
    types = [EventType.HOST.value, EventType.SESSION.value]
    return {"url": url + PATH, "format": "cloudevents", "event_types": types}


def heard(line: Mapping[str, Any]) -> Message:
    """The message in a line of the event log."""
    event = line["message"]
    payload = event["data"]
    return Message(
        id=event["id"],
        key=event["id"],
        sequence=int(event["sequence"]),
        event_type=EventType(event["type"]),
        project_id=payload["project_id"],
        state=payload["state"],
        payload=payload,
        created_at=datetime.fromisoformat(event["time"].removesuffix("Z")),
    )
