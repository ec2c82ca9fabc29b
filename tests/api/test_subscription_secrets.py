"""Secrets of subscriptions: shown once, kept encrypted, replaced without losing a message."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fenix.domain import Subscription
from fenix.messaging.secrets import SecretBox, check_secret, new_key
from fenix.store import subscriptions
from tests.api.harness import NOW, Api, problem
from tests.api.test_subscriptions import URL, http_channel

OWN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOX = SecretBox([new_key()])


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api(channels=(http_channel(),), secrets=BOX)
    yield made
    made.close()


def subscribe(api: Api, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.call(
        "POST", "/v1/subscription", {"url": URL} | fields, as_="p1"
    ).json()
    return made


def stored(api: Api) -> Subscription:
    (found,) = api.read(subscriptions.list_all)
    assert isinstance(found, Subscription)
    return found


def opened(sealed: str | None) -> str:
    assert sealed is not None
    return BOX.open(sealed)


def test_a_secret_is_shown_once_and_kept_encrypted(api: Api) -> None:
    made = subscribe(api)
    assert check_secret(made["secret"]) == made["secret"]
    assert made["signed"] is True
    assert opened(stored(api).secret) == made["secret"]
    assert made["secret"] not in repr(stored(api))
    path = f"/v1/subscription/{made['id']}"
    for answer in (
        api.call("GET", path, as_="p1"),
        api.call("GET", "/v1/subscription", as_="p1"),
        api.call("POST", "/v1/subscription", {"url": URL}, as_="p1"),
    ):
        assert made["id"] in answer.text
        assert made["secret"] not in answer.text
        assert stored(api).secret not in answer.text


def test_a_client_may_bring_its_own_and_later_another_one(api: Api) -> None:
    made = subscribe(api, secret=OWN)
    assert (made["signed"], made["secret"]) == (True, None)
    assert opened(stored(api).secret) == OWN
    before = stored(api)
    assert subscribe(api, secret=OWN)["id"] == made["id"]
    assert stored(api) == before
    other = OWN.replace("M", "N", 1)
    assert subscribe(api, secret=other)["id"] == made["id"]
    assert (opened(stored(api).secret), opened(stored(api).old_secret)) == (other, OWN)


@pytest.mark.parametrize(("keep_old", "seconds"), [(None, 86400), (60, 60), (0, 0)])
def test_a_secret_is_replaced(api: Api, keep_old: int | None, seconds: int) -> None:
    made = subscribe(api)
    body = {} if keep_old is None else {"keep_old": keep_old}
    path = f"/v1/subscription/{made['id']}/secret"
    changed = api.call("POST", path, body, as_="p1").json()
    assert changed["secret"] not in (None, made["secret"])
    now = stored(api)
    assert opened(now.secret) == changed["secret"]
    if seconds:
        assert opened(now.old_secret) == made["secret"]
        assert now.old_secret_until == NOW + timedelta(seconds=seconds)
    else:
        assert (now.old_secret, now.old_secret_until) == (None, None)
    own = api.call("POST", path, {"secret": OWN}, as_="admin").json()
    assert own["secret"] is None
    assert opened(stored(api).secret) == OWN


def test_only_who_owns_a_subscription_replaces_its_secret(api: Api) -> None:
    path = f"/v1/subscription/{subscribe(api)['id']}/secret"
    before = stored(api)
    for caller in ("p2", "p1-reader", "system-reader", "domain-admin"):
        problem(api.call("POST", path, {}, as_=caller), 403)
    problem(api.call("POST", path, {}, as_=None), 401)
    problem(api.call("POST", "/v1/subscription/none/secret", {}, as_="p1"), 404)
    problem(api.call("POST", path, {"keep_old": -1}, as_="p1"), 400)
    assert stored(api) == before


def test_without_a_key_there_are_no_secrets() -> None:
    api = Api(channels=(http_channel(),))
    made = subscribe(api)
    assert (made["signed"], made["secret"]) == (False, None)
    body = {"url": URL + "/2", "secret": OWN}
    assert "key_file" in problem(api.call("POST", "/v1/subscription", body, as_="p1"), 409)
    path = f"/v1/subscription/{made['id']}/secret"
    assert "key_file" in problem(api.call("POST", path, {}, as_="p1"), 409)
    assert stored(api).secret is None
    api.close()


def test_a_subscription_without_a_secret_gets_its_first_one(api: Api) -> None:
    ident = subscribe(api)["id"]
    unsigned = replace(stored(api), secret=None)
    api.write(lambda c: subscriptions.save_secrets(c, unsigned))
    assert subscribe(api)["signed"] is False
    changed = api.call("POST", f"/v1/subscription/{ident}/secret", {}, as_="p1").json()
    assert (changed["signed"], changed["old_secret_until"]) == (True, None)
    assert stored(api).old_secret is None


def test_trouble_with_a_receiver_is_shown_until_it_takes_something(api: Api) -> None:
    ident = subscribe(api)["id"]

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = api.call("GET", f"/v1/subscription/{ident}", as_="p1").json()
        return found

    api.write(subscriptions.failed(ident, "refused", NOW, NOW + timedelta(seconds=4)))
    found = shown()
    assert (found["health"], found["last_error"]) == ("FAILING", "refused")
    assert found["failing_since"] == found["last_error_at"] == "2030-01-01T12:00:00"
    assert found["retry_at"] == "2030-01-01T12:00:04"
    api.time = NOW + timedelta(seconds=3600)
    api.write(subscriptions.failed(ident, "gone", api.time, api.time + timedelta(seconds=60)))
    found = shown()
    assert (found["health"], found["last_error"]) == ("DEAD", "gone")
    assert found["failing_since"] == "2030-01-01T12:00:00"
    api.write(subscriptions.recovered(ident))
    found = shown()
    assert (found["health"], found["failing_since"], found["retry_at"]) == ("OK", None, None)
    assert found["last_error"] == "gone"
