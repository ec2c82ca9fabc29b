"""What anybody may ask: versions, health, the API's description."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from fenix.domain import Delivery, DeliveryState, EventType, Message
from fenix.store import Database, EngineRow, leases, messages, migrate
from tests.api.harness import NOW, Api


def engine(seconds_ago: float) -> EngineRow:
    seen = NOW - timedelta(seconds=seconds_ago)
    return EngineRow("engine-1", "host-1", 1, "0.1.0", NOW, seen)


@pytest.fixture
def migrated() -> Any:
    database = Database("sqlite://")
    migrate.upgrade(database)
    api = Api(database=database, engine_silence=30)
    yield api
    api.close()


def test_versions_as_openstack_clients_want_them(api: Api) -> None:
    one = {
        "id": "v1.0",
        "status": "CURRENT",
        "version": "",
        "min_version": "",
        "links": [{"rel": "self", "href": "http://127.0.0.1:12347/v1/"}],
    }
    assert api.call("GET", "/", as_=None).json() == {"versions": [one]}
    assert api.call("GET", "/v1/", as_=None).json() == {"version": one}


def test_the_process_lives(api: Api) -> None:
    assert api.call("GET", "/healthz", as_=None).json() == {"status": "ok"}


def test_ready_with_a_database_and_an_engine(migrated: Api) -> None:
    migrated.write(lambda c: leases.save_engine(c, engine(29)))
    answer = migrated.call("GET", "/readyz", as_=None)
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {"database": "ok", "engine": "ok", "channels": "ok"},
    }


def test_not_ready_without_an_engine(migrated: Api) -> None:
    for _ in range(2):
        answer = migrated.call("GET", "/readyz", as_=None)
        assert answer.status_code == 503
        assert answer.json() == {
            "ready": False,
            "checks": {
                "database": "ok",
                "engine": "no engine has been seen for 30 s",
                "channels": "ok",
            },
        }
        migrated.write(lambda c: leases.save_engine(c, engine(31)))


def write_message(api: Api, session: str, *targets: tuple[str, str]) -> list[Delivery]:
    """Writes a message that is as old as the session, as the engine would."""
    message = Message(
        id=str(uuid4()),
        key="k",
        sequence=1,
        event_type=EventType.SESSION,
        project_id="admin",
        state="MAINTENANCE",
        payload={},
        created_at=NOW,
    )
    api.write(messages.add(session, message, targets))
    return list(api.read(lambda c: messages.pending(c, session)))


def failed(delivery: Delivery, state: DeliveryState = DeliveryState.PENDING) -> Any:
    return messages.save_attempt(
        replace(delivery, state=state, attempts=1, error="RabbitMQ: guest@mq-1 refused")
    )


def test_not_ready_while_the_bus_takes_no_messages(migrated: Api) -> None:
    migrated.write(lambda c: leases.save_engine(c, engine(0)))
    (delivery,) = write_message(migrated, migrated.session(), ("bus", ""))
    assert migrated.call("GET", "/readyz", as_=None).status_code == 200, "it was not tried yet"
    migrated.write(failed(delivery))
    migrated.time += timedelta(seconds=20)
    answer = migrated.call("GET", "/readyz", as_=None)
    assert answer.status_code == 503
    missing = answer.json()["checks"]["channels"]
    assert missing.startswith("channel bus takes no messages, the oldest has waited for 20 s")
    assert "mq-1" not in answer.text, "anybody may ask"
    migrated.write(
        messages.save_attempt(
            replace(delivery, state=DeliveryState.DELIVERED, attempts=2, delivered_at=NOW)
        )
    )
    assert migrated.call("GET", "/readyz", as_=None).status_code == 200


def test_ready_although_a_receiver_of_a_project_is_dead(migrated: Api) -> None:
    migrated.write(lambda c: leases.save_engine(c, engine(0)))
    one, other = write_message(migrated, migrated.session(), ("http", "s1"), ("bus", ""))
    migrated.write(failed(one), failed(other, DeliveryState.GIVEN_UP))
    assert migrated.call("GET", "/readyz", as_=None).status_code == 200


def test_not_ready_without_the_schema(api: Api) -> None:
    answer = api.call("GET", "/readyz", as_=None)
    assert answer.status_code == 503
    assert "fenix db upgrade" in answer.json()["checks"]["database"]


def test_not_ready_without_any_table() -> None:
    api = Api(database=Database("sqlite://"))
    answer = api.call("GET", "/readyz", as_=None)
    assert answer.status_code == 503
    assert "fenix db upgrade" in answer.json()["checks"]["database"]
    api.close()


def test_not_ready_without_the_database(tmp_path: Any) -> None:
    api = Api(database=Database(f"sqlite:///{tmp_path}/missing/fenix.db"))
    answer = api.call("GET", "/readyz", as_=None)
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "the database does not answer",
        "engine": "not known without the database",
        "channels": "not known without the database",
    }
    api.close()


@pytest.fixture
def described(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.call("GET", "/openapi.json", as_=None).json()
    return found


def test_the_description_is_complete(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) > 20
    for path, method, operation in operations:
        assert operation["description"], path
        assert "422" not in operation["responses"]
        assert operation["responses"]["200"]["content"]["application/json"] is not None
        if path.startswith("/v1/"):
            assert {"401", "403", "503"} <= set(operation["responses"]), path
            assert operation["security"] == [{"token": []}]
            for parameter in operation.get("parameters", []):
                assert parameter["description"], (path, parameter)
        takes_body = path.startswith("/v1/") and method in ("put", "post")
        assert ("requestBody" in operation) == (takes_body and not path.endswith("/test"))
        if "requestBody" in operation:
            assert {"400", "413"} <= set(operation["responses"])


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert found
    assert found <= set(schemas)
    assert {"SessionBody", "ReplyBody", "ErrorBody", "Options", "SessionDetail"} <= set(schemas)
    for name, schema in schemas.items():
        assert schema.get("description"), name
    assert schemas["Options"]["properties"]["reply_timeout"]["maximum"] == 30 * 86400
    assert schemas["Options"]["properties"]["reply_timeout"]["description"]


def test_the_page_for_people_needs_nothing_from_elsewhere(api: Api) -> None:
    answer = api.call("GET", "/docs", as_=None)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert "@import" not in page
    for text in ("POST /v1/maintenance", "SessionBody", "maintenance_at", "recovery_time"):
        assert text in page
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_engines_and_what_they_work_on(api: Api) -> None:
    mine, free = api.session(hosts=["compute-1"]), api.session(hosts=["compute-2"])
    lease = leases.Lease(mine, None, 0, 0)
    api.write(
        lambda c: leases.save_engine(c, engine(29)),
        lambda c: leases.save_engine(c, replace(engine(31), id="engine-2")),
        lambda c: leases.take(c, lease, "engine-1"),
    )
    shown = api.call("GET", "/v1/engine").json()
    assert [(one["id"], one["alive"]) for one in shown["engines"]] == [
        ("engine-1", True),
        ("engine-2", False),
    ]
    assert shown["engines"][0]["sessions"] == [
        {"session_id": mine, "state": "MAINTENANCE", "epoch": 1}
    ]
    assert shown["engines"][1]["sessions"] == []
    assert shown["unowned"] == [{"session_id": free, "state": "MAINTENANCE", "epoch": 0}]


def test_an_engine_that_was_killed_is_forgotten_after_a_day(api: Api) -> None:
    api.write(lambda c: leases.save_engine(c, replace(engine(86401), id="engine-0")))
    api.write(lambda c: leases.save_engine(c, engine(0)))
    assert [one["id"] for one in api.call("GET", "/v1/engine").json()["engines"]] == ["engine-1"]
