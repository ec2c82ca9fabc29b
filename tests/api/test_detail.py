"""The detail of large sessions: piece by piece, the same as in one, and cut where it can't end."""

import http.client
from collections.abc import Callable
from typing import Any

import pytest

from fenix.api import detail, streaming
from fenix.api.schemas.sessions import SessionDetail
from fenix.domain import ActionState, Ending, HostState, MoveState
from fenix.store import Database, DatabaseUnavailable, messages, progress, sessions
from fenix.store.admission import Connection
from fenix.store.tables import create_tables
from tests.api.harness import NOW, Api
from tests.api.test_server import serving
from tests.factories import (
    at,
    make_action,
    make_host,
    make_instance,
    make_message,
    make_move,
)

COUNT = 10
"""Of each kind."""


def fill(api: Api) -> str:
    """A session with several of everything, every third of which failed."""
    session_id = api.session(hosts=["compute-1"])
    api.fail(session_id)
    for number in range(COUNT):
        bad = number % 3 == 0
        run = make_action(
            f"a-{number}",
            state=ActionState.FAILED if bad else ActionState.DONE,
            log="é" * (detail.LOG_SHOWN + number - 5),
        )
        move = make_move(
            f"m-{number}",
            started_at=at(number // 2),
            state=MoveState.FAILED if bad else MoveState.DONE,
            error='"quoted" \\ ünd',
        )
        state = HostState.FAILED if bad else HostState.MAINTAINED
        api.add_project(session_id, f"p-{number}", "i-1", "i-2")
        api.write(
            progress.save_host(session_id, make_host(f"h-{number}", state=state, why="x")),
            progress.save_instance(session_id, make_instance(f"i-{number}")),
            progress.save_move(session_id, move),
            progress.save_action(session_id, run, "engine-host"),
            messages.add(
                session_id,
                make_message(number + 1),
                [("http", f"target-{target}") for target in range(number % 3)],
            ),
        )
    api.write(lambda c: messages.give_up(c, session_id, "nobody", NOW))
    return session_id


def whole(connection: Connection, session_id: str) -> dict[str, Any]:
    """The detail from the whole lists."""

    def problem(what: str, subject: str, error: str | None) -> dict[str, str]:
        return {"what": what, "subject": subject, "error": error or ""}

    session = detail.find(connection, session_id)
    hosts = progress.list_hosts(connection, session_id)
    moves = progress.list_moves(connection, session_id)
    actions = progress.list_actions(connection, session_id)
    deliveries = messages.list_deliveries(connection, session_id)
    errors = [problem("session", session_id, session.reason)]
    errors += [problem("host", one.name, one.why) for one in hosts if one.state == "FAILED"]
    errors += [problem("move", m.instance_id, m.error) for m in moves if m.state == "FAILED"]
    errors += [
        problem("action", f"{one.plugin} on {one.host}", "it failed")
        for one, _ in actions
        if one.state == "FAILED"
    ]
    errors += [
        problem("delivery", f"MAINTENANCE to project {one.message.project_id}", one.error)
        for one in deliveries
    ]
    shown = SessionDetail.model_validate(
        detail.fields_of(session)
        | {
            "request": detail.head(session).request,
            "hosts": hosts,
            "instances": progress.list_instances(connection, session_id),
            "projects": progress.list_projects(connection, session_id),
            "moves": moves,
            "actions": [
                detail.fields_of(one)
                | {
                    "executor": executor,
                    "log": one.log if len(one.log) <= 2000 else "[...] " + one.log[-2000:],
                }
                for one, executor in actions
            ],
            "messages": [
                detail.fields_of(one)
                | {"deliveries": [d for d in deliveries if d.message.id == one.id]}
                for one in messages.list_messages(connection, session_id)
            ],
            "errors": errors,
        }
    )
    found: dict[str, Any] = shown.model_dump(mode="json")
    return found


@pytest.mark.parametrize("page", [1, 2, COUNT, COUNT + 1, 500])
def test_pieces_are_the_whole(api: Api, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """With the end of a page at each place, with the end of a list and of all."""
    session_id = fill(api)
    monkeypatch.setattr(streaming, "PAGE", page)
    answer = api.call("GET", f"/v1/maintenance/{session_id}/detail")
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == list(SessionDetail.model_fields)
    assert answer.json() == api.read(lambda c: whole(c, session_id))


def test_no_more_than_a_page_is_in_memory(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read at a time, and written at a time, does not grow with the session."""
    session_id = fill(api)
    monkeypatch.setattr(streaming, "PAGE", 5)
    answer = Answer()
    api.runner.run(answer.get(api, session_id, lambda: None))
    assert answer.complete
    # 60 rows and 19 errors; the first piece also has the session itself.
    assert len(answer.parts) > 79 / 5
    read = api.read(lambda c: streaming.piece(c, session_id, streaming.Place(), 5))
    assert sum(len(rows) for _, rows in read.rows) == 5


class Answer:
    """Asks the application itself, and looks on as the answer comes."""

    def __init__(self) -> None:
        self.status = 0
        self.parts: list[bytes] = []
        self.complete = False

    async def get(self, api: Api, session_id: str, after_first: Callable[[], None]) -> None:
        """Gets the detail; calls a function when its first part has come."""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            self.status = message.get("status", self.status)
            if message["type"] == "http.response.body":
                self.complete = not message.get("more_body", False)
                if message["body"]:
                    self.parts.append(message["body"])
                if len(self.parts) == 1:
                    after_first()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "path": f"/v1/maintenance/{session_id}/detail",
            "raw_path": b"",
            "query_string": b"",
            "headers": [(b"x-auth-token", b"admin"), (b"host", b"fenix.example")],
        }
        await api.app(scope, receive, send)


def test_a_session_that_is_deleted_meanwhile(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = fill(api)
    monkeypatch.setattr(streaming, "PAGE", 5)

    def delete() -> None:
        with api.database.connect(write=True) as connection, connection.begin():
            gone = sessions.get(connection, session_id)
            assert gone is not None
            gone.ending = Ending.DELETED
            sessions.save(gone)(connection)
            sessions.close(connection, session_id)

    answer = Answer()
    with pytest.raises(Exception, match="response already started"):
        api.runner.run(answer.get(api, session_id, delete))
    assert (answer.status, answer.complete, len(answer.parts)) == (200, False, 1)
    assert api.call("GET", f"/v1/maintenance/{session_id}/detail").status_code == 404


class Leaving(Database):
    """A database that goes away after some reads."""

    left = 1000

    async def read(self, work: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise DatabaseUnavailable("gone")
        return await super().read(work)


@pytest.fixture
def leaving() -> Leaving:
    found = Leaving("sqlite://")
    create_tables(found.engine)
    return found


def test_a_database_that_goes_away_meanwhile(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client can tell: the connection ends without the end of the answer."""
    api = Api(database=leaving)
    session_id = fill(api)
    monkeypatch.setattr(streaming, "PAGE", 5)
    with serving(api) as port:
        for reads, whole_answer in ((1000, True), (3, False)):
            leaving.left = reads
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            path = f"/v1/maintenance/{session_id}/detail"
            connection.request("GET", path, headers={"X-Auth-Token": "admin"})
            answer = connection.getresponse()
            assert answer.status == 200
            if whole_answer:
                assert answer.read().endswith(b"]}")
            else:
                with pytest.raises(http.client.IncompleteRead):
                    answer.read()
            connection.close()
        leaving.left = 0
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path, headers={"X-Auth-Token": "admin"})
        assert connection.getresponse().status == 503
        connection.close()
    api.close()
