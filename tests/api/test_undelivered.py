"""Messages that nobody took: seen, and sent again."""

from dataclasses import replace
from typing import Any

import pytest

from fenix.domain import Delivery, DeliveryState
from fenix.messaging import Channel
from fenix.store import messages, sessions, subscriptions
from tests.api.harness import NOW, Api, problem
from tests.api.test_subscriptions import URL, http_channel
from tests.factories import make_message, make_subscription


def given_up(api: Api, *targets: str) -> tuple[str, list[int]]:
    """A session that has ended, with a message that these subscriptions did not take."""
    session = api.session(hosts=["compute-1"])
    message = make_message(project_id="p1", id="m-1", created_at=NOW)
    api.write(messages.add(session, message, [("http", target) for target in targets]))
    pending = api.read(lambda c: messages.pending(c, session))
    for one in pending:
        lost = replace(one, state=DeliveryState.GIVEN_UP, attempts=9, error="refused")
        api.write(messages.save_attempt(lost))
    api.fail(session)
    api.write(lambda c: sessions.close(c, session))
    api.wakes = 0
    return session, [one.id for one in pending]


def deliveries(api: Api, session: str) -> list[Delivery]:
    found: list[Delivery] = list(api.read(lambda c: messages.list_deliveries(c, session)))
    return found


@pytest.fixture
def channel() -> Channel:
    return http_channel()


@pytest.fixture
def api(channel: Channel) -> Any:
    made = Api(channels=(channel,))
    for ident in ("sub-1", "sub-2"):
        one = make_subscription(id=ident, project_id="p1", url=f"{URL}/{ident}")
        made.write(lambda c, one=one: subscriptions.add(c, one))
    yield made
    made.close()


def test_they_are_listed_with_attempts_and_the_last_error(api: Api) -> None:
    session, (first, second) = given_up(api, "sub-1", "sub-2")
    path = f"/v1/maintenance/{session}/undelivered"
    found = api.call("GET", path).json()
    assert found["next"] is None
    assert found["undelivered"][0] == {
        "id": first,
        "message_id": "m-1",
        "sequence": 1,
        "event_type": "maintenance.scheduled",
        "project_id": "p1",
        "message_state": "MAINTENANCE",
        "created_at": "2030-01-01T12:00:00",
        "channel": "http",
        "target": "sub-1",
        "state": "GIVEN_UP",
        "attempts": 9,
        "due_at": "2030-01-01T12:00:00",
        "error": "refused",
        "delivered_at": None,
    }
    page = api.call("GET", f"{path}?limit=1").json()
    assert (len(page["undelivered"]), page["next"]) == (1, first)
    page = api.call("GET", f"{path}?limit=1&after={first}").json()
    assert [one["id"] for one in page["undelivered"]] == [second]


def test_all_are_sent_again_and_the_session_is_opened_for_it(api: Api) -> None:
    session, _ = given_up(api, "sub-1", "sub-2")
    assert not api.stored(session).open
    path = f"/v1/maintenance/{session}/undelivered"
    assert api.call("POST", path, {}).json() == {"sent_again": 2}
    assert api.wakes == 1
    assert api.stored(session).open
    assert [(one.target, one.state, one.attempts) for one in deliveries(api, session)] == [
        ("sub-1", "SENT_AGAIN", 9),
        ("sub-2", "SENT_AGAIN", 9),
        ("sub-1", "PENDING", 0),
        ("sub-2", "PENDING", 0),
    ]
    assert {one.requested_at for one in deliveries(api, session)} == {None, NOW}
    assert {one.message.id for one in deliveries(api, session)} == {"m-1"}
    assert api.call("POST", path, {}).json() == {"sent_again": 0}
    assert [one["state"] for one in api.call("GET", path).json()["undelivered"]] == ["PENDING"] * 2
    timeline = api.call("GET", f"/v1/maintenance/{session}/timeline").json()["timeline"]
    assert ("messages.sent_again", "user root") in [(one["what"], one["who"]) for one in timeline]
    # What is on its way keeps the session open, for whoever is to carry it.
    api.write(lambda c: sessions.close(c, session))
    assert api.stored(session).open


def test_one_is_chosen(api: Api) -> None:
    session, (_, second) = given_up(api, "sub-1", "sub-2")
    path = f"/v1/maintenance/{session}/undelivered"
    assert api.call("POST", path, {"deliveries": [second]}).json() == {"sent_again": 1}
    states = [(one.target, one.state) for one in deliveries(api, session)]
    assert states == [("sub-1", "GIVEN_UP"), ("sub-2", "SENT_AGAIN"), ("sub-2", "PENDING")]
    again = problem(api.call("POST", path, {"deliveries": [second]}), 400)
    assert again.startswith(f"deliveries.0: {second} is not valid")


def test_where_a_subscription_is_gone_those_that_there_are_get_it(api: Api) -> None:
    session, _ = given_up(api, "gone")
    path = f"/v1/maintenance/{session}/undelivered"
    assert api.call("POST", path, {}).json() == {"sent_again": 1}
    found = [(one.target, one.state) for one in deliveries(api, session)]
    assert found == [("gone", "SENT_AGAIN"), ("sub-1", "PENDING"), ("sub-2", "PENDING")]


def test_without_any_subscription_it_stays_given_up(api: Api) -> None:
    session, (ident,) = given_up(api, "gone")
    for one in ("sub-1", "sub-2"):
        api.write(lambda c, one=one: subscriptions.remove(c, one))
    path = f"/v1/maintenance/{session}/undelivered"
    assert api.call("POST", path, {}).json() == {"sent_again": 0}
    assert "has no other" in problem(api.call("POST", path, {"deliveries": [ident]}), 409)
    assert [one.state for one in deliveries(api, session)] == ["GIVEN_UP"]
    assert not api.stored(session).open


def test_not_while_the_session_is_being_deleted(api: Api) -> None:
    session, _ = given_up(api, "sub-1")
    api.call("DELETE", f"/v1/maintenance/{session}")
    path = f"/v1/maintenance/{session}/undelivered"
    assert "being deleted" in problem(api.call("POST", path, {}), 409)
    for wrong in ({"deliveries": []}, {"deliveries": ["1"]}, {"all": True}):
        problem(api.call("POST", path, wrong), 400)
    problem(api.call("POST", "/v1/maintenance/none/undelivered", {}), 404)
    problem(api.call("GET", "/v1/maintenance/none/undelivered"), 404)
