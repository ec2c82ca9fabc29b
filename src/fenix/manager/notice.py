"""A message of Fenix's, whichever way it came.

Three ways lead here: an event alarm of Aodh's, the same shape straight from Fenix, and a
CloudEvent. What an alarm carries went through Ceilometer, which turns every value into text: lists
and objects come as Python literals.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_TYPE = "maintenance.scheduled"

TEST = "TEST"
"""The state of a message by which the way to us is tried out."""

MAINTENANCE = "MAINTENANCE"
SCALE_IN = "SCALE_IN"
PREPARE_MAINTENANCE = "PREPARE_MAINTENANCE"
PLANNED_MAINTENANCE = "PLANNED_MAINTENANCE"
INSTANCE_ACTION_DONE = "INSTANCE_ACTION_DONE"
MAINTENANCE_COMPLETE = "MAINTENANCE_COMPLETE"

ABOUT_ALL = (MAINTENANCE, SCALE_IN, MAINTENANCE_COMPLETE)
ABOUT_SOME = (PREPARE_MAINTENANCE, PLANNED_MAINTENANCE, INSTANCE_ACTION_DONE)

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    Attributes:
        id: the same each time that the message is sent.
        sequence: grows with each message of a session; None where the way lost it.
        list_url: where to get the ids of the instances, when the message does not name them.
        instance_ids: the ids, when it does.
        metadata: what the administrator says about the session, new capabilities among it.
    """

    id: str
    sequence: int | None
    session_id: str
    state: str
    list_url: str | None
    instance_ids: tuple[str, ...]
    reply_url: str
    allowed_actions: tuple[str, ...]
    metadata: Mapping[str, Any]

    @property
    def about_all(self) -> bool:
        """Whether it is about the application as a whole."""
        return self.state in ABOUT_ALL

    @property
    def is_question(self) -> bool:
        """Whether Fenix waits for a reply."""
        return self.state != INSTANCE_ACTION_DONE

    @classmethod
    def from_payload(cls, payload: Payload) -> "Notice":
        """Reads a payload.

        Raises:
            ValueError: names the field that is missing or wrong.
        """
        state = _text(payload, "state")
        if state not in ABOUT_ALL + ABOUT_SOME:
            allowed = ", ".join(ABOUT_ALL + ABOUT_SOME)
            raise ValueError(f"state: {state!r} is not valid; allowed: {allowed}")
        ids = payload.get("instance_ids")
        if not isinstance(ids, str | list):
            raise ValueError(f"instance_ids: {ids!r} is not valid; allowed: a URL or a list of ids")
        metadata = payload.get("metadata")
        sequence = str(payload.get("sequence", ""))
        return cls(
            id=_text(payload, "message_id"),
            sequence=int(sequence) if sequence.isdecimal() else None,
            session_id=_text(payload, "session_id"),
            state=state,
            list_url=ids if isinstance(ids, str) else None,
            instance_ids=() if isinstance(ids, str) else tuple(map(str, ids)),
            reply_url=_text(payload, "reply_url"),
            allowed_actions=tuple(payload.get("allowed_actions") or ()),
            metadata=metadata if isinstance(metadata, dict) else {},
        )


def payload_of(headers: Mapping[str, str], body: Any) -> Payload | None:
    """The payload in the body of a request.

    Args:
        headers: the request's, names in lower case.
        body: the decoded JSON.

    Returns:
        The payload with `message_id`; None for an event that wants nothing of an application.

    Raises:
        ValueError: it has none of the known shapes.
    """
    try:
        if "ce-id" in headers:  # a CloudEvent in binary mode
            attributes = {name: headers.get(f"ce-{name}") for name in ("id", "type", "sequence")}
            payload = _from_cloud_event(attributes, body)
        elif "specversion" in body:
            payload = _from_cloud_event(body, body["data"])
        else:
            payload = _from_alarm(body["reason_data"]["event"])
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(
            f"body: {error!r} is missing; allowed: an event alarm of Aodh's, or a CloudEvent"
        ) from error
    return None if payload is None or payload.get("state") == TEST else payload


def _from_cloud_event(attributes: Mapping[str, Any], data: Payload) -> Payload | None:
    if attributes["type"] != EVENT_TYPE:
        return None
    sequence = attributes.get("sequence")
    return {"sequence": sequence} | data | {"message_id": attributes["id"]}


def _from_alarm(event: Mapping[str, Any]) -> Payload | None:
    if event["event_type"] != EVENT_TYPE:
        return None
    payload = {str(name): _decoded(str(name), value) for name, _, value in event["traits"]}
    # The id of the event itself is another one each time that it went over the bus.
    return {"message_id": event["message_id"]} | payload


def _decoded(name: str, value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError) as error:
        raise ValueError(
            f"{name}: {value!r} is not valid; allowed: a Python literal, not cut off"
        ) from error


def _text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: {value!r} is not valid; allowed: a text")
    return value
