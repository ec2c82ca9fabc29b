"""What Prometheus gets, and that the dashboard asks for nothing else."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fenix.domain import DeliveryState, HostState, SessionState
from fenix.store import DatabaseUnavailable, EngineRow, leases, messages, progress
from tests.api.harness import NOW, Api
from tests.factories import make_host, make_message

DASHBOARD = Path(__file__).parents[2] / "etc/grafana/fenix.json"


def page(api: Api) -> str:
    answer = api.call("GET", "/metrics", as_=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text


def samples(text: str) -> dict[tuple[str, str], float]:
    """Values by name and the values of labels."""
    return {
        (one.name, ",".join(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def exported(text: str) -> set[str]:
    """All names of samples, those without any so far as well."""
    tails = {"histogram": ("_bucket", "_count", "_sum")}
    return {
        name + tail
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
        for tail in tails.get(kind, ("",))
    }


def test_the_dashboard_shows_what_there_is(api: Api) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"\b(?:fenix|process)_[a-z0-9_]+", target["expr"])
    }
    api.session(hosts=["compute-1"])
    there = exported(page(api))
    assert asked - there == set()
    tails = r"_(bucket|count|sum|created|total)$"
    ours = {re.sub(tails, "", name) for name in there if name.startswith("fenix_")}
    assert ours - {re.sub(tails, "", name) for name in asked} == set()


def test_what_is_kept_is_counted(api: Api) -> None:
    session_id = api.session(hosts=["compute-1", "compute-2"])
    failed = api.session(hosts=["compute-3"])
    api.fail(failed)
    engine = EngineRow("engine-1", "m", 1, "0", NOW, NOW - timedelta(seconds=7))
    first, second = (make_message(n, created_at=NOW - timedelta(seconds=60 / n)) for n in (1, 2))
    api.write(
        progress.save_host(session_id, make_host("compute-1", state=HostState.MAINTAINED)),
        messages.add(session_id, first, [("bus", "")]),
        messages.add(session_id, second, [("bus", ""), ("http", "s1")]),
        lambda c: leases.save_engine(c, engine),
    )
    done, lost, _ = api.read(lambda c: messages.pending(c, session_id))
    for one, state in ((done, DeliveryState.DELIVERED), (lost, DeliveryState.GIVEN_UP)):
        api.write(messages.save_attempt(replace(one, state=state)))
    found = samples(page(api))
    assert found["fenix_database_up", ""] == 1
    assert found["fenix_sessions", SessionState.MAINTENANCE] == 1
    assert found["fenix_sessions", SessionState.MAINTENANCE_FAILED] == 1
    assert found["fenix_sessions", SessionState.MAINTENANCE_DONE] == 0
    assert found["fenix_hosts", HostState.MAINTAINED] == 1
    assert found["fenix_hosts", HostState.PENDING] == 2
    assert found["fenix_outbox_deliveries", ""] == 1
    assert found["fenix_outbox_oldest_seconds", ""] == pytest.approx(30)
    assert found["fenix_outbox_given_up", ""] == 1
    assert found["fenix_lease_age_seconds", "engine-1"] == 7
    assert found["fenix_sessions_unowned", ""] == 2


def test_calls_are_counted_by_operation_and_status(api: Api) -> None:
    name = "fenix_api_request_seconds_count"
    calls = {
        "show_session,404": ("GET", "/v1/maintenance/4f1f4f7e-0000-4000-8000-000000000001"),
        "list_sessions,200": ("GET", "/v1/maintenance/"),
        "none,404": ("GET", "/nope/%7Bnot%7D/a/label"),
    }
    before = samples(page(api))
    for call in calls.values():
        api.call(*call)
    after = samples(page(api))
    for key in calls:
        assert after[name, key] - before.get((name, key), 0) == 1


def test_without_the_database_the_rest_is_shown(api: Api) -> None:
    async def read(work: Any) -> Any:
        raise DatabaseUnavailable("gone")

    api.database.read = read  # type: ignore[method-assign]
    text = page(api)
    assert samples(text)["fenix_database_up", ""] == 0
    assert "fenix_sessions" not in text
    assert "process_resident_memory_bytes" in text


def test_nobody_makes_the_database_work_by_asking_often(api: Api) -> None:
    asked = 0
    read = api.database.read

    async def counted(work: Any) -> Any:
        nonlocal asked
        asked += 1
        return await read(work)

    api.database.read = counted  # type: ignore[method-assign]
    for _ in range(5):
        page(api)
    assert asked == 1
