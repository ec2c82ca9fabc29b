import ast
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from fenix.domain import Message
from fenix.messaging.bodies import aodh_body, cloudevents_body


def traits(message: Message) -> dict[str, tuple[int, Any]]:
    """The traits after their way through JSON."""
    body = json.loads(json.dumps(aodh_body(message)))
    return {name: (kind, value) for name, kind, value in body["reason_data"]["event"]["traits"]}


def test_the_aodh_body_is_the_one_that_an_event_alarm_posts(message: Message) -> None:
    """Key by key what Aodh 23 with Ceilometer 27 posted for the same notification."""
    ident = message.id
    project = message.project_id
    body = json.loads(json.dumps(aodh_body(message, "73044bef")))
    raw = body["reason_data"]["event"].pop("raw")
    assert body == {
        "alarm_name": "maintenance.scheduled",
        "alarm_id": "73044bef",
        "severity": "moderate",
        "previous": "insufficient data",
        "current": "alarm",
        "reason": f"Event <id={ident},event_type=maintenance.scheduled> hits the query <query=[]>.",
        "reason_data": {
            "type": "event",
            "event": {
                "message_id": ident,
                "event_type": "maintenance.scheduled",
                "generated": "2026-11-22T14:59:29.013051",
                "traits": [
                    ["service", 1, "fenix"],
                    ["project_id", 1, project],
                    ["tenant_id", 1, project],
                    ["session_id", 1, message.payload["session_id"]],
                    ["state", 1, "PLANNED_MAINTENANCE"],
                    ["instance_ids", 1, "['0c1cd6ef-3a58-4d7c-8d4c-60e8a9b52e0a']"],
                    ["reply_url", 1, message.payload["reply_url"]],
                    ["allowed_actions", 1, "['MIGRATE', 'LIVE_MIGRATE', 'OWN_ACTION']"],
                    ["actions_at", 4, "2026-11-23T10:00:00"],
                    ["reply_at", 4, "2026-11-22T16:00:00"],
                    [
                        "metadata",
                        1,
                        "{'openstack': 'upgrade', 'deep': {'x': [1, 2]}, 'null': None}",
                    ],
                ],
                "message_signature": "",
            },
        },
    }
    assert raw["payload"] == message.payload


@pytest.mark.parametrize("name", ["instance_ids", "allowed_actions", "metadata"])
def test_managers_read_lists_and_dicts_as_python_and_as_yaml(message: Message, name: str) -> None:
    payload = {**message.payload, "metadata": {"a": {"b": [1, True, "it's"]}}}
    kind, text = traits(replace(message, payload=payload))[name]
    assert kind == 1
    assert ast.literal_eval(text) == payload[name]
    assert yaml.safe_load(text) == payload[name]


def test_long_values_are_cut_in_the_trait_and_whole_in_raw(message: Message) -> None:
    ids = [f"aaaaaaaa-0000-4000-8000-{number:012d}" for number in range(10)]
    body = aodh_body(replace(message, payload={**message.payload, "instance_ids": ids}))
    event = body["reason_data"]["event"]
    cut = next(value for name, _, value in event["traits"] if name == "instance_ids")
    assert cut == str(ids)[:255]
    assert event["raw"]["payload"]["instance_ids"] == ids


def test_types_and_gaps_are_those_of_ceilometer(message: Message) -> None:
    payload = {
        "session_id": "s",
        "percent_done": 40,
        "share": 0.5,
        "flag": True,
        "empty": "",
        "nothing": None,
        "reply_at": "",
        "actions_at": "2026-11-22 16:00:00+02:00",
    }
    assert traits(replace(message, payload=payload)) == {
        "session_id": (1, "s"),
        "percent_done": (2, 40),
        "share": (3, 0.5),
        "flag": (1, "True"),
        "empty": (1, ""),
        "actions_at": (4, "2026-11-22T14:00:00"),
    }


def test_the_cloudevent_has_all_that_is_required_and_the_order(message: Message) -> None:
    event = json.loads(json.dumps(cloudevents_body(message)))
    assert event == {
        "specversion": "1.0",
        "id": message.id,
        "source": f"fenix/{message.payload['session_id']}",
        "type": "maintenance.scheduled",
        "time": "2026-11-22T14:59:29.013051Z",
        "datacontenttype": "application/json",
        "sequence": "0000000007",
        "data": message.payload,
    }
    texts = [
        cloudevents_body(replace(message, sequence=number))["sequence"] for number in (9, 10, 1000)
    ]
    assert texts == sorted(texts)
