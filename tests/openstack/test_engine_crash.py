"""An engine is killed while Nova moves an instance; another one carries the session to its end."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from devcloud.settings import Settings

from tests.openstack import wire
from tests.openstack.lab import HOSTS
from tests.openstack.scenario import Run, agreements, play

pytestmark = pytest.mark.openstack


@pytest.fixture(scope="module")
def run(devcloud: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("crash")
        yield play(devcloud, folder, stack, "http", "spread", crash=True)


def test_no_instance_was_moved_twice(run: Run) -> None:
    """Nova has as many moves as the manager has agreed to and was told of."""
    agreed = {ident: len(times) for ident, times in agreements(run).items()}
    assert sum(agreed.values()) == 6
    assert Counter(record["instance_uuid"] for record in run.moves()) == agreed
    assert {record["status"] for record in run.moves()} <= {"confirmed", "completed"}
    told = {
        each.body["payload"]["message_id"]: each.body["payload"]["instance_ids"][0]
        for each in run.told("INSTANCE_ACTION_DONE")
    }
    assert Counter(told.values()) == agreed


def test_no_message_was_lost_or_came_under_another_id(run: Run) -> None:
    payloads: dict[int, object] = {}
    for each in run.notices:
        wire.check_notification(each.body)
        payload = each.body["payload"]
        assert payloads.setdefault(payload["sequence"], payload) == payload
    assert sorted(payloads) == list(range(1, len(payloads) + 1))


def test_each_host_was_worked_on_once_and_is_open_again(run: Run) -> None:
    work = Counter((each["host"], each["type"]) for each in run.at_actions if "host" in each)
    assert work == {(host, kind): 1 for host in HOSTS for kind in ("host", "compute")}
    for each in [*run.at_news, *run.at_actions]:
        if "host" in each:
            assert each["servers"] == []
            assert each["consumers"] == []
            assert each["status"] == "disabled"
    for service in run.lab.services().values():
        assert (service["status"], service["disabled_reason"]) == ("enabled", None)


def test_the_application_is_whole(run: Run) -> None:
    assert run.after.keys() == run.before.keys()
    assert {server["status"] for server in run.after.values()} == {"ACTIVE"}
