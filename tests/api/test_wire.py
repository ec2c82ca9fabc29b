"""What is the same for every call: slashes, bodies, errors, ids, the log."""

import json
import logging
import re
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fenix.api import validation
from fenix.clouds import CloudError, CloudUnavailable
from fenix.store import DatabaseUnavailable
from tests.api.harness import Api, problem, session_body

S = "4f1f4f7e-0000-4000-8000-000000000001"
CALLS: list[tuple[str, str]] = [
    ("POST", "/v1/maintenance"),
    ("PUT", f"/v1/maintenance/{S}"),
    ("PUT", f"/v1/maintenance/{S}/p1"),
    ("PUT", f"/v1/maintenance/{S}/p1/i1"),
    ("PUT", "/v1/instance/i1"),
    ("PUT", "/v1/instance_group/g1"),
    ("POST", "/v1/subscription"),
]
READS = [
    "/v1/maintenance",
    f"/v1/maintenance/{S}",
    f"/v1/maintenance/{S}/detail",
    f"/v1/maintenance/{S}/timeline",
    f"/v1/maintenance/{S}/p1",
    "/v1/instance/i1",
    "/v1/instance_group/g1",
    "/v1/subscription",
    "/v1",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
]


def caller(path: str) -> str:
    return "p1-admin" if "/p1" in path else "admin"


@pytest.mark.parametrize("path", READS)
def test_a_slash_at_the_end_makes_no_difference(api: Api, path: str) -> None:
    plain = api.call("GET", path, as_=caller(path))
    slashed = api.call("GET", path + "/", as_=caller(path))
    assert plain.status_code == slashed.status_code
    assert plain.content == slashed.content
    assert not slashed.has_redirect_location


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_slash_at_the_end_makes_no_difference_to_what_is_sent(
    api: Api, method: str, path: str
) -> None:
    for tail in ("", "/"):
        answer = api.call(method, path + tail, content=b"[]", as_=caller(path))
        assert problem(answer, 400) == "The body has to be a JSON object."


def test_only_one_slash_is_too_many(api: Api) -> None:
    assert problem(api.call("GET", "/v1/maintenance//"), 404)


ODD: list[tuple[bytes, str]] = [
    (b"", "The body is not valid JSON: EOF"),
    (b"   ", "The body is not valid JSON"),
    (b"null", "The body has to be a JSON object."),
    (b"[]", "The body has to be a JSON object."),
    (b'"text"', "The body has to be a JSON object."),
    (b"12", "The body has to be a JSON object."),
    (b"{", "The body is not valid JSON"),
    (b"{'state': 1}", "The body is not valid JSON"),
    (b"state=MAINTENANCE", "The body is not valid JSON"),
    (b'{"state": NaN}', "The body is not valid JSON"),
    (b'{"state": -Infinity}', "The body is not valid JSON"),
    (b'{"state": 1e999}', "state: inf is not valid; allowed: a finite number"),
    (b'{"state": ' + b"9" * 30 + b"}", "state: 'a very large number'"),
    (b'{"state": ' + b"9" * 5000 + b"}", "The body is not valid JSON"),
    (b'{"state": "\xff"}', "The body is not valid JSON"),
    (b"\xff\xfe{\x00}\x00", "The body is not valid JSON"),
    (b'{"state": "\\ud800"}', "The body is not valid JSON"),
    (b'{"state": "a\\u0000b"}', "state: 'a\\x00b' is not valid; allowed: text without NUL"),
    (b'{"a\\u0000b": 1}', "The body has a name with a NUL character"),
    (b'{"x": {"a\\u0000b": 1}}', "x has a name with a NUL character"),
    (b'{"x": ' + b"[" * 20 + b"]" * 20 + b"}", "is nested more than 16 levels deep"),
    (b"[" * 100000, "The body is not valid JSON"),
    (b'{"x":' * 100000, "The body is not valid JSON"),
    (b'{"state": 1} {}', "The body is not valid JSON"),
]


@pytest.mark.parametrize(("body", "message"), ODD)
def test_odd_bodies_are_refused_by_every_call(api: Api, body: bytes, message: str) -> None:
    before = api.rows()
    for method, path in CALLS:
        answer = api.call(method, path, content=body, as_=caller(path))
        assert message in problem(answer, 400)
    assert api.rows() == before


def test_where_a_value_is_gets_written_out_for_errors_only() -> None:
    """A long name around many values would otherwise be copied for each of them."""
    written = []

    class Name(str):
        def __format__(self, form: str) -> str:
            written.append(form)
            return str(self)

        __str__ = __repr__ = lambda self: self.__format__("")  # type: ignore[assignment]

    validation._check({Name("x"): [0, {"y": "z"}]})
    assert written == []


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/json", "text/plain", "application/x-www-form-urlencoded", "\x7f;;="],
)
def test_the_content_type_does_not_matter(api: Api, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = json.dumps(session_body()).encode()
    answer = api.call("POST", "/v1/maintenance", content=body, headers=headers)
    assert answer.status_code == 200


def test_a_body_where_none_is_expected_is_ignored(api: Api) -> None:
    session_id = api.session()
    for method in ("GET", "DELETE"):
        answer = api.call(method, f"/v1/maintenance/{session_id}", content=b"{", headers={})
        assert answer.status_code == 200


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    small = Api(max_body_bytes=1000)
    for method, path in CALLS:
        body = b'{"x": "' + b"y" * 1000 + b'"}'
        answer = small.call(method, path, content=body, as_=caller(path))
        assert problem(answer, 413) == (
            "The body is larger than 1000 bytes; the limit is [api] max_body_bytes."
        )
    just = b'{"x": "' + b"y" * (1000 - 9) + b'"}'
    assert len(just) == 1000
    assert problem(small.call("POST", "/v1/maintenance", content=just), 400)
    small.close()


def test_a_body_without_a_length_is_not_read_to_its_end() -> None:
    small = Api(max_body_bytes=1000)
    chunks = 0

    async def endless() -> Any:
        nonlocal chunks
        while True:
            chunks += 1
            yield b" " * 100

    answer = small.call("POST", "/v1/maintenance", content=endless())
    assert problem(answer, 413)
    assert chunks < 20
    small.close()


def test_messages_are_not_longer_than_they_help(api: Api) -> None:
    name = "x" * 50_000
    answer = api.call("POST", "/v1/maintenance", session_body(**{name: 1}))
    assert len(problem(answer, 400)) <= 1000


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nope", 404),
        ("GET", "/v2/maintenance", 404),
        ("GET", "/v1/maintenance/a/b/c/d", 404),
        ("PATCH", "/v1/maintenance", 405),
        ("DELETE", "/v1/maintenance", 405),
        ("POST", f"/v1/maintenance/{S}", 405),
        ("OPTIONS", "/v1/instance/i1", 405),
        ("BREW", "/v1", 405),
    ],
)
def test_what_is_no_call_is_told_in_the_same_form(
    api: Api, method: str, path: str, code: int
) -> None:
    answer = api.call(method, path)
    assert problem(answer, code)
    assert ("allow" in answer.headers) == (code == 405)
    allowed = f"{method} is not possible here; allowed: {answer.headers.get('allow')}."
    wrong = f"There is nothing at {path}." if code == 404 else allowed
    assert problem(answer, code) == wrong


def test_every_answer_has_an_id_of_its_own(api: Api) -> None:
    pattern = r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    answers = [
        api.call("GET", "/v1"),
        api.call("GET", "/nope"),
        api.call("GET", "/v1/maintenance", as_=None),
        api.call("POST", "/v1/maintenance", content=b"{"),
    ]
    ids = [answer.headers["X-Openstack-Request-Id"] for answer in answers]
    assert all(re.fullmatch(pattern, ident) for ident in ids)
    assert len(set(ids)) == len(ids)


def test_each_call_is_a_line_in_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    outer = "req-11111111-2222-3333-4444-555555555555"
    with caplog.at_level(logging.INFO, "fenix.api.access"):
        answer = api.call(
            "GET",
            f"/v1/maintenance/{S}/p1",
            as_="p1",
            headers={"X-Openstack-Request-Id": outer},
        )
        api.call("GET", "/v1/x%0Areq-forged%1B[0m", headers={"X-Openstack-Request-Id": "req-\t"})
    first, second = (record.getMessage() for record in caplog.records)
    ident = answer.headers["X-Openstack-Request-Id"]
    assert first == (
        f"{ident} of {outer} GET /v1/maintenance/{S}/p1 404 0.000 s project=p1 session={S}"
    )
    assert "\n" not in second
    assert "\x1b" not in second
    assert "/v1/x\\nreq-forged" in second


class Failing:
    """A cloud and a database that fail in a given way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def inventory(self) -> Any:
        raise self.error

    async def read(self, work: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CloudUnavailable("503"), "The cloud does not answer; try again."),
        (
            CloudError("401 for our account"),
            "The cloud refuses what this call needs; Fenix' log says what, by the request's id.",
        ),
    ],
)
def test_a_cloud_that_does_not_serve_is_told(api: Api, error: Exception, said: str) -> None:
    api.cloud.inventory = Failing(error).inventory  # type: ignore[method-assign]
    before = api.rows()
    answer = api.call("POST", "/v1/maintenance", session_body())
    assert problem(answer, 503) == said
    assert ("Retry-After" in answer.headers) is isinstance(error, CloudUnavailable)
    assert api.rows() == before


def test_a_database_that_is_away_is_told(api: Api) -> None:
    api.database.read = Failing(DatabaseUnavailable("gone")).read  # type: ignore[method-assign]
    answer = api.call("GET", "/v1/maintenance")
    assert problem(answer, 503) == "The database does not answer; try again."
    assert answer.headers["Retry-After"]


def test_what_nobody_thought_of_is_logged_and_not_told(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    error = OperationalError("SELECT secret", {}, Exception("boom"))
    api.database.read = Failing(error).read  # type: ignore[method-assign]
    answer = api.call("GET", "/v1/maintenance")
    message = problem(answer, 500)
    assert "secret" not in message
    assert "boom" not in message
    ident = answer.headers["X-Openstack-Request-Id"]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert ident in record.getMessage()
    assert record.exc_info
