"""OPNFV Doctor's scenario on a real OpenStack, with workflow `default`.

A full cloud of three hosts, an application with an active/standby pair and four instances that it
can spare; Fenix and the application's manager are processes of their own. What is asserted comes
from Nova, Placement, and listeners that are not Fenix's.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
from devcloud.settings import Settings

from tests.openstack import wire
from tests.openstack.application import PAIR, REMOVABLE
from tests.openstack.lab import HOSTS
from tests.openstack.report import report
from tests.openstack.scenario import METADATA, SECOND, Run, agreements, play, time_of, user_of_fenix

pytestmark = pytest.mark.openstack


@pytest.fixture(scope="module", params=["http", "bus", "telemetry"])
def run(
    request: pytest.FixtureRequest, devcloud: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """A session from its creation to its end; messages reach the manager in one of three ways."""
    way: str = request.param
    layout = "spread" if way == "http" else "together"
    with ExitStack() as stack:
        yield play(devcloud, tmp_path_factory.mktemp(way), stack, way, layout)


def test_the_application_was_asked_in_order(run: Run) -> None:
    states = [each.body["payload"]["state"] for each in run.told()]
    questions = [state for state in states if state != "INSTANCE_ACTION_DONE"]
    prepare = ["PREPARE_MAINTENANCE"] if run.way == "http" else []
    assert questions == [
        "MAINTENANCE",
        "SCALE_IN",
        *prepare,
        "PLANNED_MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
    ]
    assert states.count("INSTANCE_ACTION_DONE") == 2 * len(prepare) + 4


def test_messages_have_the_form_of_the_protocol(run: Run) -> None:
    for each in run.notices:
        wire.check_notification(each.body)
    for each in [*run.posts, *run.admin_posts]:
        assert each.body["specversion"] == "1.0"
        assert each.body["id"] == each.body["data"]["message_id"]
        wire.check_payload(each.body["type"], each.body["data"])
    for each in run.told():
        payload = each.body["payload"]
        assert payload["metadata"] == METADATA
        assert payload["project_id"] == run.tenant.project_id
    admin_project = run.lab.session.get_project_id()
    for each in run.of_type("maintenance.host") + run.of_type("maintenance.session"):
        assert each.body["payload"]["project_id"] == admin_project


def test_both_channels_brought_the_same_messages_once_and_in_order(run: Run) -> None:
    by_bus = [each.body["payload"] for each in run.notices]
    assert sorted(payload["sequence"] for payload in by_bus) == list(range(1, len(by_bus) + 1))
    for project, posts in (
        (run.tenant.project_id, run.posts),
        (run.lab.session.get_project_id(), run.admin_posts),
    ):
        of_project = [payload for payload in by_bus if payload["project_id"] == project]
        numbers = [payload["sequence"] for payload in of_project]
        assert numbers == sorted(numbers)
        assert [each.body["data"] for each in posts] == of_project


def test_no_instance_was_moved_before_its_manager_agreed(run: Run) -> None:
    agreed_on = agreements(run)
    fenix_user = user_of_fenix(run)
    moved = 0
    for name, server in run.before.items():
        times = agreed_on.get(server["id"], [])
        kinds = ("migrate", "live-migration")
        actions = sorted(run.actions(server["id"], *kinds), key=lambda each: each["start_time"])
        assert len(actions) == len(times), f"{name}: each agreement is for one move"
        for action, (agreed, wanted) in zip(actions, times, strict=True):
            assert action["user_id"] == fenix_user
            assert (
                action["action"] == {"MIGRATE": "migrate", "LIVE_MIGRATE": "live-migration"}[wanted]
            )
            assert time_of(action["start_time"]) > agreed.sent - SECOND
            moved += 1
        requests = [
            each
            for each in run.engine().find("POST", f"/servers/{server['id']}/action")
            if "igrate" in each.body
        ]
        assert len(requests) == len(times)
        for request, (agreed, _) in zip(requests, times, strict=True):
            assert agreed.sent < request.sent
    assert moved == len(run.told("INSTANCE_ACTION_DONE"))


def test_an_instance_was_done_when_fenix_said_so(run: Run) -> None:
    """INSTANCE_ACTION_DONE came after Nova had ended the move, confirmation included."""
    told = [
        (each.body["payload"]["instance_ids"][0], each.at)
        for each in run.told("INSTANCE_ACTION_DONE")
    ]
    records = run.moves()
    assert len(records) == len(told)
    assert {record["status"] for record in records} <= {"confirmed", "completed"}
    for record in records:
        ends = [at for ident, at in told if ident == record["instance_uuid"]]
        assert any(time_of(record["updated_at"]) < at + SECOND for at in ends)


def test_hosts_were_empty_and_closed_while_they_were_worked_on(run: Run) -> None:
    """As Nova and Placement said just before, during, and just after the work."""
    news = [each["type"] for each in run.at_news]
    assert sorted(news) == ["IN_MAINTENANCE"] * 3 + ["MAINTENANCE_COMPLETE"] * 3
    actions = [each for each in run.at_actions if each["type"] in ("host", "compute")]
    for host in HOSTS:
        seen = sorted(
            (each for each in [*run.at_news, *actions] if each["host"] == host),
            key=lambda each: each["at"],
        )
        kinds = [each["type"] for each in seen]
        assert kinds == ["IN_MAINTENANCE", "host", "compute", "MAINTENANCE_COMPLETE"]
        for each in seen:
            assert each["servers"] == []
            assert each["consumers"] == []
            assert each["status"] == "disabled"
            assert run.session_id in each["disabled_reason"]


def test_targets_of_planned_moves_were_maintained_already(run: Run) -> None:
    finished = {
        each.body["payload"]["host"]: each.at
        for each in run.of_type("maintenance.host")
        if each.body["payload"]["state"] == "MAINTENANCE_COMPLETE"
    }
    [first, *_] = [each.at for each in run.told("PLANNED_MAINTENANCE")]
    planned = [record for record in run.moves() if time_of(record["created_at"]) > first - SECOND]
    assert len(planned) == 4
    for record in planned:
        assert finished[record["dest_compute"]] < time_of(record["created_at"]) + SECOND


def test_actions_around_the_session_ran_in_time(run: Run) -> None:
    [pre] = [each for each in run.at_actions if each["type"] == "pre"]
    [post] = [each for each in run.at_actions if each["type"] == "post"]
    others = [each["at"] for each in run.at_actions if each["type"] in ("host", "compute")]
    assert run.at.isoformat(timespec="seconds") <= pre["at"] < min(others)
    assert max(others) < post["at"]
    [record] = [each for each in run.view["actions"] if each["type"] == "post"]
    assert record["state"] == "DONE"


def test_hosts_are_open_again(run: Run) -> None:
    for service in run.lab.services().values():
        assert service["status"] == "enabled"
        assert service["disabled_reason"] is None
        assert service["state"] == "up"
    found = run.lab.compute.get("/os-hypervisors/detail").json()["hypervisors"]
    assert {each["status"] for each in found if each["hypervisor_hostname"] in HOSTS} == {"enabled"}


def test_the_application_scaled_in_and_out_again(run: Run) -> None:
    assert run.after.keys() == run.before.keys()
    anew = {name for name in run.after if run.after[name]["id"] != run.before[name]["id"]}
    assert len(anew) == 2
    assert anew < set(REMOVABLE)
    [asked] = run.told("SCALE_IN")
    [complete] = run.told("MAINTENANCE_COMPLETE")
    for name in anew:
        [deletion] = run.actions(run.before[name]["id"], "delete")
        assert deletion["user_id"] == run.tenant.user_id
        assert time_of(deletion["start_time"]) > asked.at - SECOND
        [creation] = run.actions(run.after[name]["id"], "create")
        assert creation["user_id"] == run.tenant.user_id
        assert time_of(creation["start_time"]) > complete.at - SECOND
    assert all(server["status"] == "ACTIVE" for server in run.after.values())


def test_the_pair_stayed_apart_and_the_active_one_was_never_moved(run: Run) -> None:
    one, other = (run.after[name] for name in PAIR)
    assert one["OS-EXT-SRV-ATTR:host"] != other["OS-EXT-SRV-ATTR:host"]
    group = run.lab.compute.get(f"/os-server-groups/{run.group}").json()["server_group"]
    assert set(group["members"]) == {one["id"], other["id"]}
    marks = [server["metadata"].get("active") for server in (one, other)]
    assert marks.count("true") == 1
    assert marks.count(None) == 1
    _check_switch_overs(run)


def test_placement_holds_what_runs_and_nothing_else(run: Run) -> None:
    providers = run.lab.providers()
    consumers: set[str] = set()
    for host in HOSTS:
        held = run.lab.placement.get(f"/resource_providers/{providers[host]}/allocations").json()
        consumers |= held["allocations"].keys()
        _, usages = run.lab.figures(providers[host])
        on_it = [each for each in run.after.values() if each["OS-EXT-SRV-ATTR:host"] == host]
        assert usages["VCPU"] == 2 * len(on_it)
    assert consumers == {server["id"] for server in run.after.values()}


def test_what_it_took(run: Run, devcloud: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the time of each phase and the cost in requests, and holds the latter to a limit."""
    sessions = [
        (each.at, each.body["payload"]["state"]) for each in run.of_type("maintenance.session")
    ]
    moves = len(run.told("INSTANCE_ACTION_DONE"))
    text, requests = report(run.way, sessions, run.moves(), run.recorders, moves, devcloud)
    with capsys.disabled():
        print(text)  # noqa: T201
    assert requests / moves < 100, "requests to the cloud for each move"


def _check_switch_overs(run: Run) -> None:
    """The mark of the active one was on the other when one of the pair began to move."""
    ids = {run.before[name]["id"]: name for name in PAIR}
    active = PAIR[0]
    events: list[tuple[datetime, str, str]] = []
    for exchange in run.recorders["manager"].find("POST", "/metadata"):
        ident = exchange.url.split("/servers/")[1].split("/")[0]
        events.append((exchange.answered, "marked", ids[ident]))
    for ident, name in ids.items():
        for exchange in run.engine().find("POST", f"/servers/{ident}/action"):
            if '"migrate"' in exchange.body:
                events.append((exchange.sent, "moved", name))
    assert sum(kind == "moved" for _, kind, _ in events) == 2
    for _, kind, name in sorted(events):
        if kind == "marked":
            active = name
        else:
            assert name != active
