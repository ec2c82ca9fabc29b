"""Subscriptions, tried out with the real channel and a real receiver."""

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from fenix.domain import EventType
from fenix.messaging.http import HttpChannel
from fenix.store import subscriptions
from tests.api.harness import Api, problem

URL = "http://192.0.2.7:9000/maintenance"


def http_channel() -> HttpChannel:
    """The channel as it is, and loopback allowed."""
    networks = [ipaddress.ip_network("127.0.0.0/8")]
    return HttpChannel(5.0, networks, ssl.create_default_context())


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api(channels=(http_channel(),), subscriptions_per_project=2)
    yield made
    made.close()


def subscribe(api: Api, caller: str = "p1", **fields: Any) -> dict[str, Any]:
    answer = api.call("POST", "/v1/subscription", {"url": URL} | fields, as_=caller)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_project_subscribes_looks_and_ends_it(api: Api) -> None:
    made = subscribe(api)
    assert made == {
        "id": made["id"],
        "project_id": "p1",
        "url": URL,
        "format": "aodh",
        "event_types": ["maintenance.scheduled"],
        "created_at": "2030-01-01T12:00:00",
        "signed": False,
        "old_secret_until": None,
        "health": "OK",
        "failing_since": None,
        "retry_at": None,
        "last_error": None,
        "last_error_at": None,
        "secret": None,
    }
    del made["secret"]
    path = f"/v1/subscription/{made['id']}"
    assert api.call("GET", path, as_="p1").json() == made
    assert api.call("GET", "/v1/subscription", as_="p1").json() == {"subscriptions": [made]}
    (stored,) = api.read(lambda c: subscriptions.list_all(c, "p1"))
    assert stored.event_types == (EventType.SCHEDULED,)
    answer = api.call("DELETE", path, as_="p1")
    assert (answer.status_code, answer.json()) == (200, {})
    for method in ("GET", "DELETE"):
        assert problem(api.call(method, path, as_="p1"), 404)


def test_asking_again_gives_what_there_is(api: Api) -> None:
    first = subscribe(api)
    assert subscribe(api) == first
    assert subscribe(api, format="cloudevents")["id"] != first["id"]


def test_a_project_may_have_so_many(api: Api) -> None:
    subscribe(api, url=URL + "/1")
    subscribe(api, url=URL + "/2")
    before = api.rows()
    answer = api.call("POST", "/v1/subscription", {"url": URL + "/3"}, as_="p1")
    assert "has 2 subscriptions already, which is the limit" in problem(answer, 429)
    assert api.rows() == before
    subscribe(api, "p2", url=URL + "/3")


def test_messages_for_administrators_are_for_administrators(api: Api) -> None:
    body = {"url": URL, "event_types": ["maintenance.host", "maintenance.session"]}
    assert problem(api.call("POST", "/v1/subscription", body, as_="p1"), 403)
    made = subscribe(api, "admin", **body)
    assert made["project_id"] == "cloud"
    assert subscribe(api, "admin", url=URL, project_id="p2")["project_id"] == "p2"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": None}, "url: None"),
    ({"url": "ftp://192.0.2.7/"}, "url: 'ftp://192.0.2.7/' is not valid; allowed: a URL with http"),
    ({"url": "192.0.2.7:9000"}, "url"),
    ({"url": "http://"}, "url"),
    ({"url": "http:///path"}, "url"),
    ({"url": "http://user:secret@192.0.2.7/"}, "url"),
    ({"url": "http://192.0.2.7:99999/"}, "url"),
    ({"url": "http://192.0.2.7:0/"}, "url"),
    ({"url": "http://192.0.2.7/#top"}, "url"),
    ({"url": "http://192.0.2.7/a b"}, "url"),
    ({"url": "http://192.0.2.7/\r\nX: y"}, "url"),
    ({"url": "http://[::1"}, "url"),
    ({"url": "http://bücher.example/"}, "url"),
    ({"url": "http://192.0.2.7/" + "x" * 2048}, "url"),
    ({"format": "xml"}, "format: 'xml'"),
    ({"event_types": []}, "event_types"),
    ({"event_types": ["maintenance.scheduled"] * 2}, "event_types"),
    ({"event_types": ["maintenance.planned"]}, "event_types.0: 'maintenance.planned'"),
    ({"event_types": "maintenance.scheduled"}, "event_types"),
    ({"project_id": ""}, "project_id"),
    ({"events": []}, "events is not a known field"),
    ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "secret: '***' is not valid; allowed: whsec_"),
    ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"}, "secret: '***'"),
    ({"secret": "whsec_" + "A" * 28}, "secret: '***'"),
    ({"secret": 7}, "secret: '***'"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_wrong_subscription_is_refused(api: Api, wrong: dict[str, Any], message: str) -> None:
    before = api.rows()
    answer = api.call("POST", "/v1/subscription", {"url": URL} | wrong, as_="p1")
    assert problem(answer, 400).startswith(message)
    assert api.rows() == before


def test_a_project_keeps_to_its_own(api: Api) -> None:
    made = subscribe(api)
    path = f"/v1/subscription/{made['id']}"
    assert problem(api.call("GET", path, as_="p2"), 403)
    assert problem(api.call("DELETE", path, as_="p2"), 403)
    assert problem(api.call("POST", path + "/test", as_="p2"), 403)
    assert problem(api.call("DELETE", path, as_="system-reader"), 403)
    body = {"url": URL, "project_id": "p1"}
    assert problem(api.call("POST", "/v1/subscription", body, as_="p2"), 403)
    listed = api.call("GET", "/v1/subscription", params={"project_id": "p1"}, as_="p2")
    assert problem(listed, 403)
    assert api.call("GET", "/v1/subscription", as_="p2").json() == {"subscriptions": []}


def test_who_may_see_everything_sees_all_or_those_of_a_project(api: Api) -> None:
    first, second = subscribe(api), subscribe(api, "p2")
    for caller in ("admin", "system-reader"):
        listed = api.call("GET", "/v1/subscription", as_=caller).json()["subscriptions"]
        assert {one["id"] for one in listed} == {first["id"], second["id"]}
        listed = api.call("GET", "/v1/subscription", params={"project_id": "p2"}, as_=caller)
        assert [one["id"] for one in listed.json()["subscriptions"]] == [second["id"]]


def test_without_the_channel_there_is_nothing_to_subscribe_to() -> None:
    api = Api()
    answer = api.call("POST", "/v1/subscription", {"url": URL}, as_="p1")
    assert "channel http is not enabled" in problem(answer, 409)
    api.close()


@asynccontextmanager
async def receiver(status: str, received: list[tuple[str, bytes]]) -> AsyncIterator[int]:
    """Listens on loopback, keeps what is posted, and answers with a status."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        received.append((head.splitlines()[0], await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode("ascii"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", {"delivered": True, "error": None}),
        (
            "500 INTERNAL SERVER ERROR",
            {"delivered": False, "error": "the receiver answered 500 INTERNAL SERVER ERROR"},
        ),
    ],
)
def test_a_subscription_can_be_tried_out(api: Api, status: str, outcome: dict[str, Any]) -> None:
    received: list[tuple[str, bytes]] = []

    async def try_out() -> tuple[str, dict[str, Any]]:
        async with receiver(status, received) as port:
            headers = {"X-Auth-Token": "p1"}
            body = {"url": f"http://127.0.0.1:{port}/vnf"}
            made = await api.client.post("/v1/subscription", json=body, headers=headers)
            path = f"/v1/subscription/{made.json()['id']}/test"
            answer = await api.client.post(path, headers=headers)
            assert answer.status_code == 200
            return made.json()["id"], answer.json()

    subscription, told = api.runner.run(try_out())
    assert told == outcome
    ((line, body),) = received
    assert line == "POST /vnf HTTP/1.1"
    alarm = json.loads(body)
    assert alarm["alarm_id"] == subscription
    traits = {name: value for name, _, value in alarm["reason_data"]["event"]["traits"]}
    assert traits["state"] == "TEST"
    assert traits["service"] == "fenix"
    assert traits["project_id"] == "p1"
    assert traits["session_id"] == "00000000-0000-0000-0000-000000000000"
    assert traits["reply_url"].endswith("/v1/maintenance/" + traits["session_id"] + "/p1")
    assert traits["allowed_actions"] == "[]"


def test_nobody_there_is_told(api: Api) -> None:
    made = subscribe(api, url="http://127.0.0.1:1/")
    told = api.call("POST", f"/v1/subscription/{made['id']}/test", as_="p1").json()
    assert told["delivered"] is False
    assert "ConnectError" in told["error"]


def test_only_some_tests_wait_for_their_receivers_at_the_same_time() -> None:
    """Of a project, and of all together; who is refused learns by which limit."""
    arrived: asyncio.Queue[str] = asyncio.Queue()
    api = Api(channels=(http_channel(),), tests_at_once=3, tests_at_once_per_project=2)

    async def story() -> None:
        released = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            arrived.put_nowait("request")
            await released.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        paths = {who: await subscribed(who, url) for who in ("p1", "p2")}

        def test(who: str) -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(api.client.post(paths[who], headers=token(who)))

        async with server, asyncio.timeout(30):
            waiting = [test("p1"), test("p1")]
            for _ in waiting:
                await arrived.get()
            told = problem(await test("p1"), 429)
            assert told.endswith("which is the limit [api] tests_at_once_per_project.")
            waiting.append(test("p2"))
            await arrived.get()
            told = problem(await test("p2"), 429)
            assert told.endswith("which is the limit [api] tests_at_once.")
            released.set()
            assert [(await one).json()["delivered"] for one in waiting] == [True] * 3
            assert (await test("p1")).json()["delivered"], "there is room again"

    async def subscribed(who: str, url: str) -> str:
        made = await api.client.post("/v1/subscription", json={"url": url}, headers=token(who))
        return f"/v1/subscription/{made.json()['id']}/test"

    def token(who: str) -> dict[str, str]:
        return {"X-Auth-Token": who}

    try:
        api.runner.run(story())
    finally:
        api.close()
