"""What a subscription's URL gets: the bodies of both formats, made from a message.

The format `aodh` has the shape of Aodh's event alarms, so that application managers written for
Telemetry work as they are (wire contract, "How an application manager receives them").
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from fenix.domain import Message

TRAIT_LENGTH = 255
"""Characters of a text that Ceilometer keeps; it cuts off the rest without a warning."""

_TEXT, _INT, _FLOAT, _DATETIME = 1, 2, 3, 4
_TIMES = ("actions_at", "reply_at")

Trait = tuple[str, int, str | int | float]


def aodh_body(message: Message, alarm_id: str = "") -> dict[str, Any]:
    """The body that Aodh would post for an event alarm on this message.

    Besides what Telemetry's cut-off text traits hold, ``reason_data.event.raw.payload`` has the
    whole payload, as Ceilometer sends it with ``store_raw = info``.

    Args:
        alarm_id: names what the receiver has asked for: the subscription.
    """
    event_type = str(message.event_type)
    generated = message.created_at.isoformat()
    return {
        "alarm_name": event_type,
        "alarm_id": alarm_id,
        "severity": "moderate",
        "previous": "insufficient data",
        "current": "alarm",
        "reason": f"Event <id={message.id},event_type={event_type}> hits the query <query=[]>.",
        "reason_data": {
            "type": "event",
            "event": {
                "message_id": message.id,
                "event_type": event_type,
                "generated": generated,
                "traits": list(_traits(message.payload)),
                "raw": {
                    "publisher_id": "fenix",
                    "event_type": event_type,
                    "priority": "info",
                    "payload": dict(message.payload),
                    "metadata": {"message_id": message.id, "timestamp": generated},
                },
                "message_signature": "",
            },
        },
    }


def cloudevents_body(message: Message) -> dict[str, Any]:
    """The message as a CloudEvent (CloudEvents 1.0, structured mode, JSON format).

    ``sequence`` follows the extension of that name: its texts sort as the messages do.
    """
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": f"fenix/{message.payload['session_id']}",
        "type": str(message.event_type),
        "time": message.created_at.isoformat() + "Z",
        "datacontenttype": "application/json",
        "sequence": f"{message.sequence:010d}",
        "data": dict(message.payload),
    }


def _traits(payload: Mapping[str, Any]) -> Iterator[Trait]:
    """The payload as Ceilometer's traits: name, type and value of each field."""
    for name, value in payload.items():
        trait = _trait(name, value)
        if trait is None:
            continue
        yield trait
        if name == "project_id":
            yield ("tenant_id", *trait[1:])


def _trait(name: str, value: Any) -> Trait | None:
    if value is None:
        return None
    if name in _TIMES:
        return (name, _DATETIME, _naive_utc(str(value))) if value != "" else None
    if isinstance(value, int) and not isinstance(value, bool):
        return (name, _INT, value)
    if isinstance(value, float):
        return (name, _FLOAT, value)
    return (name, _TEXT, str(value)[:TRAIT_LENGTH])


def _naive_utc(text: str) -> str:
    time = datetime.fromisoformat(text)
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return time.isoformat()
