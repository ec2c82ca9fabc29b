"""Nothing that a client sends may give a 5xx (wire contract, "Conventions")."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fenix.domain import ActionType, EventType, MoveAction, SessionState
from fenix.engine.intake import ACCEPTED_REPLIES
from fenix.store import Database, migrate, progress
from tests.api.harness import SOON, Api
from tests.api.test_subscriptions import http_channel
from tests.factories import make_instance
from tests.store.conftest import ON_SERVERS
from tests.store.servers import scratch

S = "4f1f4f7e-0000-4000-8000-000000000001"

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "\0", "\ud800", "%00", "../..", "'; --", "\u202e", "x" * 300, "60,"]),
    st.sampled_from(sorted(ACCEPTED_REPLIES) + list(SessionState) + list(MoveAction)),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**40, 0, -1]),
    st.floats(),
    TEXT,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)

INSTANCE_FIELDS = ("instance_id", "project_id", "group_id", "instance_name", "lead_time")
TARGETS: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/maintenance"): {
        "state": "MAINTENANCE",
        "workflow": "default",
        "maintenance_at": SOON,
        "metadata": {"a": 1},
        "hosts": ["compute-1"],
        "actions": [{"plugin": "picky", "type": ActionType.HOST, "metadata": {"release": 1}}],
        "download": [],
        "options": {"reply_timeout": 1, "silent_projects": "fail"},
    },
    ("PUT", f"/v1/maintenance/{S}"): {"state": "SCALE_IN"},
    ("PUT", f"/v1/maintenance/{S}/p1"): {
        "state": "ACK_PLANNED_MAINTENANCE",
        "instance_actions": {"i1": "MIGRATE"},
        "session_id": S,
    },
    ("PUT", f"/v1/maintenance/{S}/p1/i1"): {
        "state": "ACK_PLANNED_MAINTENANCE",
        "instance_action": "MIGRATE",
    },
    ("PUT", "/v1/instance/i1"): {
        "instance_id": "i1",
        "project_id": "p1",
        "group_id": "g1",
        "instance_name": "vm",
        "max_interruption_time": 1,
        "migration_type": "MIGRATE",
        "resource_mitigation": True,
        "lead_time": 1,
    },
    ("PUT", "/v1/instance_group/g1"): {
        "group_id": "g1",
        "project_id": "p1",
        "group_name": "g",
        "anti_affinity_group": True,
        "max_instances_per_host": 1,
        "max_impacted_members": 1,
        "recovery_time": 1,
        "resource_mitigation": True,
    },
    ("POST", "/v1/subscription"): {
        "url": "http://192.0.2.1/",
        "format": "aodh",
        "event_types": [EventType.SCHEDULED],
        "project_id": "p1",
    },
}


@pytest.fixture(scope="module", params=["sqlite", *ON_SERVERS])
def shared(request: pytest.FixtureRequest) -> Iterator[Api]:
    """One API for all examples: what one leaves behind must not break the next either."""
    with ExitStack() as stack:
        url = (
            "sqlite://"
            if request.param == "sqlite"
            else stack.enter_context(scratch(request.param))
        )
        database = Database(url)
        migrate.upgrade(database)
        api = Api(database=database, channels=(http_channel(),))
        stack.callback(api.close)
        api.add_project(S, "p1", "i1")
        api.write(progress.save_instance(S, make_instance("i1", project_id="p1")))
        yield api


def encoded(value: Any) -> bytes:
    """As JSON; lone surrogates and infinite numbers included, as Python writes them."""
    return json.dumps(value).encode("utf-8")


def send(api: Api, method: str, path: str, body: bytes) -> None:
    answer = api.call(method, path, content=body, as_="p1-admin")
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"
    if not answer.is_success:
        assert answer.json()["error"]["message"]


def mutated(data: st.DataObject, body: Any) -> Any:
    """The body with one place in it changed, taken away or added."""
    if isinstance(body, dict) and body and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(body)))
        return body | {key: mutated(data, body[key])}
    if isinstance(body, dict):
        change = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "remove" and body:
            gone = data.draw(st.sampled_from(sorted(body)))
            return {key: value for key, value in body.items() if key != gone}
        if change == "add":
            return body | {data.draw(TEXT): data.draw(VALUES)}
    if isinstance(body, list) and body and data.draw(st.booleans()):
        return [mutated(data, body[0]), *body[1:], *data.draw(st.lists(VALUES, max_size=2))]
    return data.draw(VALUES)


FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: " ".join(target))
@FUZZ
@given(data=st.data())
def test_nearly_right_bodies(shared: Api, target: tuple[str, str], data: st.DataObject) -> None:
    send(shared, *target, encoded(mutated(data, TARGETS[target])))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: " ".join(target))
@FUZZ
@given(body=st.one_of(st.binary(max_size=200), VALUES.map(encoded)))
def test_any_bodies(shared: Api, target: tuple[str, str], body: bytes) -> None:
    send(shared, *target, body)


PARTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=70),
    st.sampled_from(["maintenance", "v1", "instance", "p1", S, "detail", "timeline", "%00", "%ff"]),
)


@FUZZ
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH"]),
    root=st.sampled_from(
        ["", "/v1/maintenance", f"/v1/maintenance/{S}", "/v1/instance", "/v1/subscription"]
    ),
    parts=st.lists(PARTS, max_size=3),
    query=st.dictionaries(
        st.sampled_from(["after", "limit", "project_id", "x"]), st.text(max_size=20), max_size=3
    ),
)
def test_any_paths(
    shared: Api, method: str, root: str, parts: list[str], query: dict[str, str]
) -> None:
    path = root + "".join("/" + (part if "%" in part else quote(part, safe="")) for part in parts)
    answer = shared.call(method, path or "/", params=query, as_="p1-admin", content=b"{}")
    assert answer.status_code < 500, answer.text


@FUZZ
@given(
    token=st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=50),
    project=st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=80),
)
def test_any_headers(shared: Api, token: str, project: str) -> None:
    headers = {"X-Auth-Token": token.encode("latin-1"), "X-Project-Id": project.encode("latin-1")}
    answer = shared.call("GET", "/v1/maintenance", as_=None, headers=headers)
    assert answer.status_code in (200, 401, 403)
