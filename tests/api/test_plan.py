"""Plans over HTTP: what they tell, who gets them, and that they touch nothing."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import Connection, event

from fenix import config
from fenix.api import ApiSettings
from fenix.clouds import CloudUnavailable, MoveStatus, MoveTicket
from fenix.domain import (
    EventType,
    Group,
    Host,
    Instance,
    Inventory,
    Message,
    MoveAction,
    MoveState,
    Resources,
    Subscription,
)
from fenix.domain.assumptions import Assumptions
from fenix.simulation.plan import PlanOrder
from fenix.simulation.plan_process import PlanningDied, make_plan_apart
from fenix.store import constraints, progress
from tests.api.harness import NOW, Api, problem, session_body
from tests.factories import at, make_group_constraints, make_instance_constraints, make_move

ROOM = Resources(8, 16384, 100)
SIZE = Resources(4, 8192, 50)
WORK = {"plugin": "noop", "type": "host"}


class ToEverybody:
    """A channel that leads to all projects, and must not be used."""

    name = "everybody"
    longest = 0.0

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """See `Channel.targets`."""
        return ("",)

    async def send(self, message: Message, target: Subscription | None) -> None:
        """See `Channel.send`."""
        raise AssertionError("a plan sent a message")

    async def close(self) -> None:
        """See `Channel.close`."""


class LookOnly:
    """A cloud that tells what there is, and lets nothing else be done."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def inventory(self) -> Inventory:
        """See `Cloud.inventory`."""
        return self._inventory

    async def disable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.disable_host`."""
        _touched()

    async def enable_host(self, host: str, reason: str) -> bool:
        """See `Cloud.enable_host`."""
        _touched()

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        """See `Cloud.start_move`."""
        _touched()

    async def confirm_move(self, instance_id: str) -> None:
        """See `Cloud.confirm_move`."""
        _touched()

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `Cloud.watch_moves`."""
        _touched()

    async def delete_instance(self, instance_id: str) -> None:
        """See `Cloud.delete_instance`."""
        _touched()

    async def close(self) -> None:
        """See `Cloud.close`."""
        _touched()


def _touched() -> NoReturn:
    raise AssertionError("a plan touched the cloud")


class Unanswering(LookOnly):
    """A cloud that does not answer."""

    async def inventory(self) -> Inventory:
        """See `Cloud.inventory`."""
        raise CloudUnavailable("no answer")


def landscape(used: Resources = SIZE) -> Inventory:
    """Three hosts, two of them with an instance of project p1; what they use is a parameter."""
    hosts = {f"compute-{n}": Host(f"compute-{n}", ROOM) for n in (1, 2, 3)}
    instances = {
        f"i-{n}": Instance(f"i-{n}", f"web-{n}", "p1", f"compute-{n}", used, "g") for n in (1, 2)
    }
    return Inventory(hosts, instances, {"g": Group("g", "p1")})


@pytest.fixture
def api() -> Iterator[Api]:
    """An API whose cloud can only be looked at, and whose channels lead to all projects."""
    made = Api(channels=(ToEverybody(),))
    change(made, cloud=LookOnly(landscape()))
    yield made
    made.close()


def change(api: Api, **fields: Any) -> None:
    """Lets the API work with something else."""
    api.app.state.services = replace(api.app.state.services, **fields)


def settle(api: Api, **fields: Any) -> None:
    """Changes settings."""
    change(api, settings=replace(api.app.state.services.settings, **fields))


def plan(api: Api, **fields: Any) -> dict[str, Any]:
    """A plan that is made."""
    answer = api.call("POST", "/v1/plan", session_body(**fields))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# What it tells


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_a_plan(api: Api, workflow: str) -> None:
    found = plan(api, workflow=workflow, actions=[WORK], assume={"host_seconds": 240})
    assert found["feasible"] is True
    assert found["state"] == "MAINTENANCE_DONE"
    assert found["reason"] is None
    assert found["begins_at"] == "2030-01-01T12:00:30"
    assert found["ends_at"] > found["begins_at"]
    assert {one["name"] for one in found["hosts"]} == {"compute-1", "compute-2", "compute-3"}
    for one in found["hosts"]:
        work = datetime.fromisoformat(one["back_at"]) - datetime.fromisoformat(
            one["maintenance_started_at"]
        )
        assert work.total_seconds() == pytest.approx(240, abs=1)
        assert one["why"]
    assert {one["instance_id"] for one in found["moves"]} == {"i-1", "i-2"}
    for move in found["moves"]:
        assert move["target"] != move["source"]
        assert move["why"]
    (messages,) = found["messages"]
    assert messages["project_id"] == "p1"
    assert messages["counts"]["MAINTENANCE"] == 1
    assert found["bounds"][0]["seconds"] == found["lower_bound_seconds"] > 0
    assert found["bounds"][0]["sentence"]
    assert found["makespan_seconds"] >= found["lower_bound_seconds"]
    assert found["scale_in"] == []


@pytest.mark.usefixtures("plans_in_this_process")
def test_assumptions_are_as_configured_where_the_request_is_silent(api: Api) -> None:
    settle(api, assumptions=Assumptions(reply_seconds=3, host_seconds=120))
    found = plan(api, assume={"host_seconds": 60})
    assert found["assume"]["host_seconds"] == 60
    assert found["assume"]["reply_seconds"] == 3
    assert found["assume"]["scale_in"] is True


@pytest.mark.usefixtures("plans_in_this_process")
def test_durations_are_learnt_from_earlier_sessions(api: Api) -> None:
    live = {"action": MoveAction.LIVE_MIGRATE, "state": MoveState.DONE, "started_at": at(0)}
    for number in range(10):
        move = make_move(f"m-{number}", **live, finished_at=at(33))
        api.write(progress.save_move("earlier", move))
    settle(api, assumptions=Assumptions(host_seconds=120))
    found = plan(api)
    assert found["assume"]["live_migration_seconds"] == 33
    assert found["assume"]["host_seconds"] == 120
    assert (
        "A live migration takes 33 s, the median of 10 cases of earlier sessions."
        in (found["notes"])
    )
    chosen = plan(api, assume={"live_migration_seconds": 5})
    assert chosen["assume"]["live_migration_seconds"] == 5


def test_assumptions_come_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "fenix.conf"
    file.write_text("[plan]\nhost_seconds = 77\nscale_in = false\ntime_limit = 12\n")
    settings = ApiSettings.from_config(config.load(files=[file]))
    assert settings.assumptions == Assumptions(host_seconds=77, scale_in=False)
    assert settings.plan_time_limit == 12
    file.write_text("[plan]\nhost_seconds = -1\n")
    with pytest.raises(config.ConfigurationError, match="host_seconds"):
        config.load(files=[file])


def test_without_configuration_they_are_the_defaults() -> None:
    assert ApiSettings.from_config(config.load(files=[])).assumptions == Assumptions()


@pytest.mark.usefixtures("plans_in_this_process")
def test_registered_constraints_count(api: Api) -> None:
    """One member at a time, and a long recovery between them."""

    def register(connection: Connection) -> None:
        for ident in ("i-1", "i-2"):
            constraints.put_instance(
                connection, make_instance_constraints(ident, project_id="p1", group_id="g")
            )
        constraints.put_group(
            connection,
            make_group_constraints("g", project_id="p1", recovery_time=900, max_impacted_members=1),
        )

    api.write(register)
    found = plan(api, workflow="vnf", actions=[WORK], assume={"host_seconds": 1})
    first, second = (datetime.fromisoformat(one["started_at"]) for one in found["moves"][:2])
    assert (second - first).total_seconds() > 900


@pytest.mark.usefixtures("plans_in_this_process")
def test_a_plan_that_is_not_feasible_says_why(api: Api) -> None:
    full = landscape()
    whole = {
        f"{name}-{n}": Instance(f"{name}-{n}", "x", "p1", name, SIZE, "g")
        for name in full.hosts
        for n in (1, 2)
    }
    change(api, cloud=LookOnly(replace(full, instances=whole)))
    found = plan(api, assume={"scale_in": False})
    assert found["feasible"] is False
    assert found["state"] == "MAINTENANCE_FAILED"
    assert found["failed_state"] == "SCALE_IN"
    assert "lacks" in found["reason"]
    (needed,) = found["scale_in"]
    assert needed["project_id"] == "p1"
    assert needed["instances"] == 2
    assert needed["resources"] == {"vcpus": 8, "memory_mb": 16384, "disk_gb": 100}
    assert needed["assumed"] is False
    assert plan(api)["feasible"] is True


@pytest.mark.usefixtures("plans_in_this_process")
def test_projects_that_no_channel_reaches(api: Api) -> None:
    change(api, channels=())
    refused = plan(api)
    assert refused["feasible"] is False
    assert "p1" in refused["reason"]
    moved = plan(api, options={"unmanaged_projects": "move"})
    assert moved["feasible"] is True
    assert moved["messages"] == [{"project_id": "p1", "reached": False, "counts": {}}]


# Who gets one


@pytest.mark.parametrize("who", ["p1", "p1-reader", "system-reader", "domain-admin"])
def test_only_administrators_plan(api: Api, who: str) -> None:
    problem(api.call("POST", "/v1/plan", session_body(), as_=who), 403)


def test_a_plan_needs_a_token(api: Api) -> None:
    problem(api.call("POST", "/v1/plan", session_body(), as_=None), 401)


# What is refused


@pytest.mark.parametrize(
    "fields",
    [
        {"workflow": "nonsense"},
        {"workflow": ""},
        {"state": "SCALE_IN"},
        {"maintenance_at": "tomorrow"},
        {"maintenance_at": "2001-01-01 00:00:00"},
        {"maintenance_at": "2099-01-01 00:00:00"},
        {"metadata": {"release": "x" * 300}},
        {"hosts": ["no-such-host"]},
        {"hosts": ["compute-1", "compute-1"]},
        {"hosts": "compute-1"},
        {"actions": [{"plugin": "nonsense", "type": "host"}]},
        {"actions": [{"plugin": "picky", "type": "host"}]},
        {"actions": [{"plugin": "picky", "type": "never", "metadata": {"release": "r"}}]},
        {"options": {"parallel_hosts": 0}},
        {"options": {"colour": "red"}},
        {"colour": "red"},
    ],
)
def test_bad_requests_are_refused_as_for_a_session(api: Api, fields: dict[str, Any]) -> None:
    body = session_body(**fields)
    said = problem(api.call("POST", "/v1/plan", body), 400)
    # The one field that only a plan has is among those that are allowed.
    of_session = said.replace(", assume.", ".")
    assert of_session == problem(api.call("POST", "/v1/maintenance", body), 400)


def test_a_body_that_is_no_json(api: Api) -> None:
    said = problem(api.call("POST", "/v1/plan", content=b"{"), 400)
    assert said == problem(api.call("POST", "/v1/maintenance", content=b"{"), 400)


@pytest.mark.usefixtures("plans_in_this_process")
def test_hosts_of_another_session(api: Api) -> None:
    ident = api.session(hosts=["compute-2"])
    body = session_body(hosts=["compute-1", "compute-2"])
    said = problem(api.call("POST", "/v1/plan", body), 409)
    assert said == problem(api.call("POST", "/v1/maintenance", body), 409)
    assert ident in said
    assert plan(api, hosts=["compute-1"])["feasible"] is True


@pytest.mark.parametrize(
    ("assume", "said"),
    [
        ({"host_seconds": -1}, "assume.host_seconds"),
        ({"host_seconds": "60,"}, "assume.host_seconds"),
        ({"scale_in": "maybe"}, "assume.scale_in"),
        ({"scale_in_instances": 0}, "assume.scale_in_instances"),
        ({"hosts_seconds": 1}, "assume.hosts_seconds"),
    ],
)
def test_bad_assumptions(api: Api, assume: dict[str, Any], said: str) -> None:
    assert said in problem(api.call("POST", "/v1/plan", session_body(assume=assume)), 400)


def test_a_cloud_that_does_not_answer(api: Api) -> None:
    change(api, cloud=Unanswering(landscape()))
    assert "cloud" in problem(api.call("POST", "/v1/plan", session_body()), 503)


def test_a_plan_that_takes_too_long_is_given_up(api: Api) -> None:
    settle(api, plan_time_limit=0.01)
    said = problem(api.call("POST", "/v1/plan", session_body()), 409)
    assert "0.01 s" in said
    assert "time_limit" in said


def test_one_plan_at_a_time(api: Api) -> None:
    with api.app.state.services.plans.turn():
        problem(api.call("POST", "/v1/plan", session_body()), 429)
    assert plan(api)["feasible"] is True


def test_the_loop_goes_on_while_a_plan_is_made(api: Api) -> None:
    async def both() -> int:
        call = asyncio.create_task(
            api.client.post("/v1/plan", json=session_body(), headers={"X-Auth-Token": "admin"})
        )
        others = 0
        while not call.done():
            await api.client.get("/v1/maintenance", headers={"X-Auth-Token": "admin"})
            others += 1
        assert call.result().status_code == 200
        return others

    assert api.runner.run(both()) > 5


def test_a_process_that_dies(api: Api) -> None:
    order = PlanOrder(None, None, None, frozenset(), Assumptions(), NOW)  # type: ignore[arg-type]
    with pytest.raises(PlanningDied, match="AttributeError"):
        api.runner.run(make_plan_apart(order, 60))


# Nothing is touched


@pytest.mark.usefixtures("plans_in_this_process")
def test_a_plan_writes_nothing(api: Api) -> None:
    """The cloud of these tests lets nothing but a look be done, and the channel nothing at all."""
    api.session(maintenance_at="2030-01-02 00:00:00", hosts=["compute-3"])
    before = api.rows()
    wakes = api.wakes
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement.split()[0].upper())

    event.listen(api.database.engine, "before_cursor_execute", note)
    assert plan(api, hosts=["compute-1", "compute-2"], actions=[WORK])["feasible"] is True
    event.remove(api.database.engine, "before_cursor_execute", note)
    assert api.rows() == before
    assert api.wakes == wakes
    assert set(statements) <= {"SELECT", "BEGIN"}
    assert "SELECT" in statements


# The description


def test_plans_are_described(api: Api) -> None:
    described = api.call("GET", "/openapi.json").json()
    operation = described["paths"]["/v1/plan"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    body = described["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    assert {"workflow", "maintenance_at", "hosts", "options", "assume"} <= set(body["properties"])
    assumed = described["components"]["schemas"]["Assume"]["properties"]
    assert all(field["description"] for field in assumed.values())
    assert set(operation["responses"]) == {
        "200", "400", "401", "403", "408", "409", "413", "429", "503",
    }  # fmt: skip
