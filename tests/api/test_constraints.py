"""Constraints as applications register them."""

from typing import Any

import pytest

from fenix.clouds.simulated import SimulatedGroup, SimulatedHost, SimulatedInstance, World
from fenix.domain import Resources
from fenix.store import constraints
from tests.api.harness import Api, problem

# What Doctor's VNFM and Tacker send.
INSTANCE = {
    "instance_id": "i1",
    "project_id": "p1",
    "group_id": "g1",
    "instance_name": "doctor_nonha_app_1",
    "max_interruption_time": 120,
    "migration_type": "MIGRATE",
    "resource_mitigation": True,
    "lead_time": 40,
}
GROUP = {
    "group_id": "g1",
    "project_id": "p1",
    "group_name": "doctor_nonha_app_group",
    "anti_affinity_group": False,
    "max_instances_per_host": 0,
    "max_impacted_members": 2,
    "recovery_time": 2,
    "resource_mitigation": True,
}
KINDS = [("/v1/instance/i1", INSTANCE), ("/v1/instance_group/g1", GROUP)]


@pytest.mark.parametrize(("path", "body"), KINDS)
def test_constraints_are_kept_replaced_and_forgotten(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    answer = api.call("PUT", path, body, as_="p1")
    assert (answer.status_code, answer.json()) == (200, body)
    assert api.call("GET", path, as_="p1").json() == body
    changed = body | {"resource_mitigation": False, "unknown": "ignored"}
    assert api.call("PUT", path, changed, as_="p1").is_success
    assert api.call("GET", path, as_="p1").json() == body | {"resource_mitigation": False}
    for _ in range(2):
        answer = api.call("DELETE", path, as_="p1")
        assert (answer.status_code, answer.json()) == (200, {})
    assert "does not exist" in problem(api.call("GET", path, as_="p1"), 404)


def test_what_is_left_out_has_its_default(api: Api) -> None:
    assert api.call("PUT", "/v1/instance/i7", {"group_id": ""}, as_="p1").json() == {
        "instance_id": "i7",
        "project_id": "p1",
        "group_id": "",
        "instance_name": "",
        "max_interruption_time": 120,
        "migration_type": "LIVE_MIGRATE",
        "resource_mitigation": False,
        "lead_time": 120,
    }
    assert api.call("PUT", "/v1/instance_group/g7", {}, as_="p1").json() == {
        "group_id": "g7",
        "project_id": "p1",
        "group_name": "",
        "anti_affinity_group": False,
        "max_instances_per_host": 0,
        "max_impacted_members": 1,
        "recovery_time": 0,
        "resource_mitigation": False,
    }


def test_a_group_is_forgotten_before_its_instances(api: Api) -> None:
    for path, body in KINDS:
        api.call("PUT", path, body, as_="p1")
    assert api.call("DELETE", "/v1/instance_group/g1", as_="p1").is_success
    assert api.call("GET", "/v1/instance/i1", as_="p1").is_success


TOO_LONG = 30 * 86400 + 1
WRONG: list[tuple[int, dict[str, Any], str]] = [
    (1, {"recovery_time": "60,"}, "recovery_time: '60,' is not valid; allowed: a valid integer"),
    (1, {"recovery_time": "60"}, "recovery_time: '60'"),
    (1, {"recovery_time": 60.5}, "recovery_time: 60.5"),
    (1, {"recovery_time": True}, "recovery_time: True"),
    (1, {"recovery_time": None}, "recovery_time: None"),
    (1, {"recovery_time": -1}, "recovery_time: -1 is not valid; allowed: greater than or equal"),
    (1, {"recovery_time": TOO_LONG}, "recovery_time"),
    (1, {"recovery_time": 10**17}, "recovery_time"),
    (1, {"recovery_time": 10**30}, "recovery_time"),
    (1, {"max_impacted_members": 0}, "max_impacted_members: 0"),
    (1, {"max_impacted_members": 2**31}, "max_impacted_members"),
    (1, {"max_instances_per_host": -1}, "max_instances_per_host: -1"),
    (1, {"anti_affinity_group": "true"}, "anti_affinity_group: 'true'"),
    (1, {"anti_affinity_group": 1}, "anti_affinity_group: 1"),
    (1, {"resource_mitigation": None}, "resource_mitigation: None"),
    (1, {"group_name": "g" * 256}, "group_name"),
    (1, {"group_name": 5}, "group_name: 5"),
    (1, {"group_id": "g2"}, "group_id: 'g2' is not valid; allowed: the one in the path, g1"),
    (0, {"instance_id": "i2"}, "instance_id: 'i2' is not valid; allowed: the one in the path"),
    (0, {"instance_id": 5}, "instance_id: 5"),
    (0, {"group_id": None}, "group_id: None"),
    (0, {"group_id": "g" * 65}, "group_id"),
    (0, {"group_id": "a b"}, "group_id: 'a b'"),
    (0, {"project_id": "../p2"}, "project_id: '../p2'"),
    (0, {"migration_type": "migrate"}, "migration_type: 'migrate'"),
    (0, {"migration_type": None}, "migration_type"),
    (0, {"lead_time": "40"}, "lead_time: '40'"),
    (0, {"lead_time": -1}, "lead_time: -1"),
    (0, {"max_interruption_time": TOO_LONG}, "max_interruption_time"),
    (0, {"resource_mitigation": "PREPARE"}, "resource_mitigation: 'PREPARE'"),
    (0, {"instance_name": "n" * 256}, "instance_name"),
    (0, {"instance_name": "a\tb"}, "instance_name"),
]


@pytest.mark.parametrize(("kind", "wrong", "message"), WRONG)
def test_a_wrong_field_is_named_and_nothing_kept(
    api: Api, kind: int, wrong: dict[str, Any], message: str
) -> None:
    path, body = KINDS[kind]
    before = api.rows()
    answer = api.call("PUT", path, body | wrong, as_="p1")
    assert problem(answer, 400).startswith(message)
    assert api.rows() == before


def test_an_instance_needs_to_name_its_group(api: Api) -> None:
    answer = api.call("PUT", "/v1/instance/i1", {"lead_time": 5}, as_="p1")
    assert problem(answer, 400) == "group_id is missing."


@pytest.mark.parametrize(("path", "body"), KINDS)
def test_a_project_keeps_to_its_own(api: Api, path: str, body: dict[str, Any]) -> None:
    assert api.call("PUT", path, body, as_="p1").is_success
    for method in ("GET", "DELETE"):
        assert problem(api.call(method, path, as_="p2"), 403)
    taking_over = body | {"project_id": "p2"}
    assert problem(api.call("PUT", path, taking_over, as_="p2"), 403)
    assert problem(api.call("PUT", path, body, as_="p1-reader"), 403)
    assert api.call("GET", path, as_="p1").json() == body
    assert api.call("GET", path, as_="system-reader").json() == body


@pytest.mark.parametrize(("path", "body"), KINDS)
def test_the_token_says_whose_they_are(api: Api, path: str, body: dict[str, Any]) -> None:
    # Tacker's plug-in cuts the id out of a link and may send a piece of it.
    stored = api.call("PUT", path, body | {"project_id": "stacks"}, as_="p1")
    assert stored.json() == body | {"project_id": "p1"}


@pytest.mark.parametrize(("path", "body"), KINDS)
def test_an_administrator_may_set_any_project(api: Api, path: str, body: dict[str, Any]) -> None:
    assert api.call("PUT", path, body, as_="admin").is_success
    assert api.call("PUT", path, body | {"project_id": "p2"}, as_="admin").is_success
    loaded = api.read(constraints.load)
    assert {one.project_id for one in (loaded.instances | loaded.groups).values()} == {"p2"}
    without = {name: value for name, value in body.items() if name != "project_id"}
    answer = api.call("PUT", path, without, as_="system-admin")
    assert problem(answer, 400) == "project_id is missing."


@pytest.mark.parametrize("path", ["/v1/instance/", "/v1/instance_group/"])
@pytest.mark.parametrize("ident", ["x" * 65, "a%20b", "a%00b", "%F0%9F%98%80", "a%0Ab", "a;b"])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_an_id_that_can_not_be_one_is_refused(api: Api, path: str, ident: str, method: str) -> None:
    body = {"group_id": ""} if method == "PUT" else None
    assert problem(api.call(method, path + ident, body, as_="p1"), 400)


def test_a_whole_number_may_be_written_with_a_point(api: Api) -> None:
    body = {"max_impacted_members": 2.0, "recovery_time": 60.0}
    made = api.call("PUT", "/v1/instance_group/g1", body, as_="p1").json()
    assert (made["max_impacted_members"], made["recovery_time"]) == (2, 60)
    assert isinstance(made["recovery_time"], int)


@pytest.mark.parametrize(("path", "body"), KINDS)
def test_nobody_can_keep_constraints_from_the_owner_of_an_instance(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    """Ids are no secrets: another project may come first with them."""
    size = Resources(1, 1, 1)
    api.cloud.world = World(
        [SimulatedHost("h", size)],
        [SimulatedGroup("g1", "p1")],
        [SimulatedInstance("i1", "one", "p1", size, "h")],
    )
    assert api.call("PUT", path, body, as_="p2").is_success
    assert api.call("PUT", path, body, as_="p1").json() == body
    assert api.call("GET", path, as_="p1").json() == body
    assert problem(api.call("PUT", path, body, as_="p2"), 403)
