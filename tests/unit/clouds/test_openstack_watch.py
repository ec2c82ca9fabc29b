"""Moments that a real Nova shows too briefly to be met on purpose."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fenix.clouds import MovePhase, MoveTicket
from fenix.clouds.openstack.moves import Watch
from fenix.domain import MoveAction

NOW = datetime(2030, 1, 1, 12, 0, 0)


class Script:
    """Answers like Nova's API, records by the query's selection, servers by id."""

    def __init__(self) -> None:
        self.changed: list[dict[str, Any]] = []
        self.accepted: list[dict[str, Any]] = []
        self.servers: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    def pages(
        self, path: str, key: str, params: dict[str, Any], *, ident: str
    ) -> Iterator[dict[str, Any]]:
        assert (path, key, ident) == ("/os-migrations", "migrations", "uuid")
        if "changes-since" in params:
            assert params == {"changes-since": "2030-01-01T11:55:00Z"}
            return iter(self.changed)
        return iter(self.accepted if params["status"] == "accepted" else ())

    def get(self, path: str, params: Any = None, **ids: str) -> dict[str, Any]:
        assert path == "/servers/{id}"
        self.asked.append(ids["id"])
        return {"server": self.servers[ids["id"]]}

    def has(self, instance: str, status: str, task: str | None = None, host: str = "h1") -> None:
        self.servers[instance] = {
            "id": instance,
            "status": status,
            "OS-EXT-STS:task_state": task,
            "OS-EXT-SRV-ATTR:host": host,
        }


def record(instance: str, status: str) -> dict[str, Any]:
    return {
        "id": 1,
        "uuid": f"m-{instance}",
        "instance_uuid": instance,
        "migration_type": "live-migration",
        "status": status,
        "source_compute": "h1",
        "created_at": "2030-01-01T12:00:00.000000",
    }


def ticket(instance: str) -> MoveTicket:
    return MoveTicket(instance, MoveAction.LIVE_MIGRATE, "h1", None, NOW)


def watch(script: Script) -> Watch:
    return Watch(script)  # type: ignore[arg-type]


def test_a_record_that_is_not_listed_as_changed_yet_is_not_overlooked() -> None:
    script = Script()
    script.has("i", "ACTIVE")
    script.accepted = [record("i", "accepted")]
    assert watch(script).look([ticket("i")]) == []
    script.accepted = []
    [status] = watch(script).look([ticket("i")])
    assert (status.phase, status.host) == (MovePhase.NOT_STARTED, "h1")


def test_a_move_that_ends_between_the_two_reads_is_told_by_the_next_look() -> None:
    script = Script()
    script.has("i", "ACTIVE", host="h2")
    looks = watch(script)
    [status] = looks.look([ticket("i")])
    assert (status.phase, status.cloud_id) == (MovePhase.DONE, None)  # by somebody else
    script.accepted = [record("i", "completed")]
    assert looks.look([ticket("i")]) == []
    script.changed = [record("i", "completed")]
    [status] = looks.look([ticket("i")])
    assert (status.phase, status.cloud_id, status.host) == (MovePhase.DONE, "m-i", "h2")


def test_servers_of_running_moves_are_looked_at_in_turn() -> None:
    script = Script()
    instances = ["a", "b", "c"]
    script.changed = [record(instance, "running") for instance in instances]
    for instance in instances:
        script.has(instance, "MIGRATING", "migrating")
    looks = watch(script)
    tickets = [ticket(instance) for instance in instances]
    for _ in range(6):
        assert looks.look(tickets) == []
    assert script.asked == instances * 2
    script.has("b", "DELETED")
    told = [status for _ in instances for status in looks.look(tickets)]
    assert [(status.instance_id, status.phase) for status in told] == [("b", MovePhase.GONE)]
