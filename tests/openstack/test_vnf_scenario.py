"""Workflow `vnf` on a real OpenStack: five hosts, two projects, and what their groups can bear.

What is asserted comes from Nova's records, Placement, the bus, and what passed between the
processes. Nova keeps times to the second, so a second on either side of an interval proves nothing.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import combinations

import pytest
from devcloud.settings import Settings

from tests.openstack.conftest import VCPUS
from tests.openstack.lab import HOSTS as FEW_HOSTS
from tests.openstack.report import report
from tests.openstack.scenario import SECOND, time_of
from tests.openstack.vnf_session import (
    HOSTS,
    MEMBERS,
    RECOVERY,
    WORK,
    Seen,
    certainly,
    five_hosts,
    most_at_once,
    play,
)
from tests.openstack.wire import ACTIONS

pytestmark = pytest.mark.openstack
QUESTIONS = ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")
NOVA_ACTIONS = {"MIGRATE": "migrate", "LIVE_MIGRATE": "live-migration"}


@pytest.fixture(scope="module")
def seen(devcloud: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A session from its creation to MAINTENANCE_DONE."""
    with five_hosts(len(FEW_HOSTS), VCPUS), ExitStack() as stack:
        yield play(devcloud, tmp_path_factory.mktemp("vnf"), stack)


def test_the_session_ended_well_for_every_project(seen: Seen) -> None:
    projects = sorted(owner.project_id for owner in seen.tenants.values())
    for state in ("MAINTENANCE", "MAINTENANCE_COMPLETE"):
        told = [each.body["payload"]["project_id"] for each in seen.told(state)]
        assert sorted(told) == projects
    assert not seen.told("SCALE_IN")
    assert seen.after.keys() == seen.before.keys()
    assert {server["status"] for server in seen.after.values()} == {"ACTIVE"}


def test_constraints_are_what_the_test_is_about(seen: Seen) -> None:
    groups = seen.constraints("instance_group")
    assert groups[seen.group]["anti_affinity_group"] is True
    assert groups[seen.group]["max_impacted_members"] == 1
    assert {group["recovery_time"] for group in groups.values()} == {RECOVERY}
    instances = seen.constraints("instance")
    assert instances.keys() == seen.before.keys()
    assert {one["migration_type"] for one in instances.values()} == {"MIGRATE", "LIVE_MIGRATE"}
    assert {one["lead_time"] for one in instances.values()} == {20, 30}
    sizes = Counter(one["group_id"] for one in instances.values())
    most = {ident: groups[ident]["max_impacted_members"] for ident in sizes}
    assert sorted((sizes[ident], most[ident]) for ident in sizes) == [(2, 1), (3, 1), (4, 2)]


def test_every_host_was_worked_on_once_while_empty_and_disabled(seen: Seen) -> None:
    """As Nova and Placement said at the beginning and the end, and without a move in between."""
    assert Counter(each["host"] for each in seen.work) == dict.fromkeys(HOSTS, 2)
    for each in seen.work:
        assert each["servers"] == []
        assert each["consumers"] == []
        assert each["status"] == "disabled"
        assert seen.session_id in each["disabled_reason"]
    for host in HOSTS:
        begun, ended = seen.work_on(host)
        assert ended - begun >= timedelta(seconds=WORK)
        for move in seen.moves():
            if host in (move.source, move.target):
                assert move.ended - SECOND < begun or move.begun + SECOND > ended, (host, move)
    news = Counter(
        (each.body["payload"]["host"], each.body["payload"]["state"])
        for each in seen.notices
        if each.body["event_type"] == "maintenance.host"
    )
    states = ("IN_MAINTENANCE", "MAINTENANCE_COMPLETE")
    assert news == {(host, state): 1 for host in HOSTS for state in states}


def test_hosts_were_worked_on_at_the_same_time(seen: Seen) -> None:
    assert most_at_once([seen.work_on(host) for host in HOSTS]) >= 2


def test_each_move_had_one_message_one_agreement_and_one_word_of_its_end(seen: Seen) -> None:
    moved = Counter(move.instance for move in seen.moves())
    assert moved.keys() == seen.before.keys(), "no host was empty: every instance has to move"
    assert {move.status for move in seen.moves()} <= {"completed", "confirmed"}
    for states in (QUESTIONS, ("INSTANCE_ACTION_DONE",)):
        told: Counter[str] = Counter()
        for each in seen.told(*states):
            payload = each.body["payload"]
            [ident] = payload["instance_ids"]
            told[ident] += 1
            assert payload["project_id"] == seen.before[ident]["tenant_id"]
            url = f"/v1/maintenance/{seen.session_id}/{payload['project_id']}"
            asked = payload["state"] in QUESTIONS
            assert payload["reply_url"].endswith(f"{url}/{ident}" if asked else url)
            assert set(payload["allowed_actions"]) == (ACTIONS if asked else set())
        assert told == moved
    assert {ident: len(times) for ident, times in seen.agreements().items()} == moved


def test_no_instance_was_moved_before_its_manager_agreed(seen: Seen) -> None:
    constraints = seen.constraints("instance")
    for ident, agreements in seen.agreements().items():
        requests = [
            each
            for each in seen.recorders["serve"].find("POST", f"/servers/{ident}/action")
            if "igrate" in each.body
        ]
        actions = seen.actions(ident)
        assert len(requests) == len(actions) == len(agreements)
        for (agreed, body), request, action in zip(agreements, requests, actions, strict=True):
            assert agreed.sent < request.sent
            assert time_of(action["start_time"]) > agreed.sent - SECOND
            assert body["instance_action"] == constraints[ident]["migration_type"]
            assert action["action"] == NOVA_ACTIONS[body["instance_action"]]


def test_an_instance_was_done_when_fenix_said_so(seen: Seen) -> None:
    for ident in seen.before:
        ends = [move.ended for move in seen.moves() if move.instance == ident]
        told = [
            each.at
            for each in seen.told("INSTANCE_ACTION_DONE")
            if each.body["payload"]["instance_ids"] == [ident]
        ]
        for ended, at in zip(sorted(ends), sorted(told), strict=True):
            assert ended < at + SECOND


def test_no_group_had_more_members_impacted_than_it_bears(seen: Seen) -> None:
    """A member is impacted from the beginning of its move until it has recovered."""
    for group, constraints in seen.constraints("instance_group").items():
        impacted = _impacted(seen, group)
        assert most_at_once(impacted) <= constraints["max_impacted_members"], impacted


def test_members_of_the_anti_affinity_group_were_never_on_one_host(seen: Seen) -> None:
    """A moving instance is on both its hosts."""
    members = [ident for ident, server in seen.before.items() if server["name"] in MEMBERS]
    stays = {ident: _stays(seen, ident) for ident in members}
    for one, other in combinations(members, 2):
        for host, *stay in stays[one]:
            for other_host, *other_stay in stays[other]:
                together = most_at_once([certainly(*stay), certainly(*other_stay)]) > 1
                assert host != other_host or not together, (host, stay, other_stay)
    hosts = [seen.after[ident]["OS-EXT-SRV-ATTR:host"] for ident in members]
    assert len(set(hosts)) == len(members)


def test_all_hosts_are_open_again(seen: Seen) -> None:
    services = seen.lab.services()
    assert services.keys() == set(HOSTS)
    for service in services.values():
        assert (service["status"], service["disabled_reason"]) == ("enabled", None)
        assert service["state"] == "up"


def test_placement_holds_what_runs_and_nothing_else(seen: Seen) -> None:
    providers = seen.lab.providers()
    for host in HOSTS:
        held = seen.lab.placement.get(f"/resource_providers/{providers[host]}/allocations").json()
        assert held["allocations"].keys() == {
            ident for ident, server in seen.after.items() if server["OS-EXT-SRV-ATTR:host"] == host
        }


def test_what_it_took(seen: Seen, devcloud: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the time of each phase, how much went on at once, and the cost in requests."""
    states = [
        (each.at, each.body["payload"]["state"])
        for each in seen.notices
        if each.body["event_type"] == "maintenance.session"
    ]
    moves = seen.moves()
    records = [
        {
            "migration_type": move.kind,
            "created_at": move.begun.isoformat(),
            "updated_at": move.ended.isoformat(),
        }
        for move in moves
    ]
    recorders = {"serve": seen.recorders["serve"]}
    text, requests = report("vnf", states, records, recorders, len(moves), devcloud)
    peaks = [
        f"{group['group_name']}: {most_at_once(_impacted(seen, ident))}"
        f" of {group['max_impacted_members']}"
        for ident, group in seen.constraints("instance_group").items()
    ]
    with capsys.disabled():
        print(text)  # noqa: T201
        print("hosts at once:", most_at_once([seen.work_on(host) for host in HOSTS]))  # noqa: T201
        print("moves at once:", most_at_once([(m.begun, m.ended) for m in moves]))  # noqa: T201
        print("members impacted at once:", *peaks, sep="\n  ")  # noqa: T201
    assert requests / len(moves) < 100, "requests to the cloud for each move"


def _impacted(seen: Seen, group: str) -> list[tuple[datetime, datetime]]:
    """When members of a group were certainly impacted."""
    members = {
        ident for ident, one in seen.constraints("instance").items() if one["group_id"] == group
    }
    recovery = timedelta(seconds=seen.constraints("instance_group")[group]["recovery_time"])
    return [
        certainly(move.begun, move.ended + recovery)
        for move in seen.moves()
        if move.instance in members
    ]


def _stays(seen: Seen, ident: str) -> list[tuple[str, datetime, datetime]]:
    """Where an instance was, from when until when."""
    arrived = datetime.min
    host = seen.before[ident]["OS-EXT-SRV-ATTR:host"]
    stays = []
    for move in (move for move in seen.moves() if move.instance == ident):
        assert move.source == host
        stays.append((host, arrived, move.ended))
        host, arrived = move.target, move.begun
    return [*stays, (host, arrived, datetime.max - 2 * SECOND)]
