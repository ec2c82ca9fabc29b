"""What a project, and what everybody together, may have; each refusal names its limit."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fenix.api import Rates
from fenix.domain import TooMany
from fenix.engine.intake import IntakeRules
from tests.api.harness import Api, problem, session_body


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def let_through(rates: Rates, who: str, tries: int) -> int:
    passed = 0
    for _ in range(tries):
        try:
            rates.take(who)
        except TooMany:
            continue
        passed += 1
    return passed


def test_a_burst_and_then_a_rate_for_each() -> None:
    clock = Clock()
    rates = Rates(2, 10, clock)
    assert let_through(rates, "p1", 50) == 10
    assert let_through(rates, "p2", 50) == 10
    clock.now = 3
    assert let_through(rates, "p1", 50) == 6
    clock.now = 1000
    assert let_through(rates, "p1", 50) == 10


def test_how_long_to_wait_is_told() -> None:
    clock = Clock()
    rates = Rates(0.1, 1, clock)
    rates.take("p1")
    clock.now = 4
    with pytest.raises(TooMany, match=r"\[api\] requests_per_second.* requests_burst, 1") as told:
        rates.take("p1")
    assert told.value.retry_after == pytest.approx(6)
    clock.now += told.value.retry_after
    rates.take("p1")


def test_no_limit_and_not_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert let_through(Rates(0, 1), "p1", 5000) == 5000
    monkeypatch.setattr("fenix.api.rates.KEPT", 20)
    clock = Clock()
    rates = Rates(1, 5, clock)
    for number in range(1000):
        rates.take(f"p{number}")
        clock.now += 1
    assert len(rates._buckets) <= 20


@pytest.fixture
def make() -> Callable[..., Api]:
    made: list[Api] = []

    def make(**settings: object) -> Api:
        made.append(Api(**settings))
        return made[-1]

    yield make
    for api in made:
        api.close()


def test_calls_of_a_project(make: Callable[..., Api]) -> None:
    api = make(rates=Rates(0.001, 2, Clock()))
    codes = [api.call("GET", "/v1/subscription", as_="p1").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = api.call("GET", "/v1/subscription", as_="p1-reader")  # the same project
    assert "requests_per_second" in problem(refused, 429)
    assert refused.headers["Retry-After"] == "1000"
    assert api.call("GET", "/v1/subscription", as_="p2").is_success
    assert api.call("GET", "/v1/maintenance", as_="system-reader").is_success
    assert problem(api.call("GET", "/v1/subscription", as_=None), 401)
    assert api.call("GET", "/healthz").is_success


def test_constraints_of_a_project(make: Callable[..., Api]) -> None:
    api = make(constraints_per_project=2)

    def put(path: str, as_: str = "p1") -> int:
        return api.call("PUT", path, {"group_id": "g"} if "e/" in path else {}, as_=as_).status_code

    assert put("/v1/instance/i1") == put("/v1/instance_group/g1") == 200
    for path in ("/v1/instance/i2", "/v1/instance_group/g2"):
        body = {"group_id": "g"} if "e/" in path else {}
        told = problem(api.call("PUT", path, body, as_="p1"), 429)
        assert told.endswith("already, which is the limit [api] constraints_per_project.")
    assert put("/v1/instance/i1") == 200  # replacing needs no room
    assert put("/v1/instance/i2", "p2") == 200
    assert api.call("DELETE", "/v1/instance/i1", as_="p1").is_success
    assert put("/v1/instance/i3") == 200


def test_sessions_and_hosts(make: Callable[..., Api]) -> None:
    api = make(rules=replace(IntakeRules(), sessions=2, hosts=2))
    told = problem(api.call("POST", "/v1/maintenance", session_body(hosts=[])), 413)
    assert told == "The session would have 3 hosts; the limit [api] hosts_per_session is 2."
    first = api.session(hosts=["compute-1"])
    api.session(hosts=["compute-2"])
    told = problem(api.call("POST", "/v1/maintenance", session_body(hosts=["compute-3"])), 429)
    assert "which is the limit [api] sessions" in told
    assert first in api.call("GET", "/v1/maintenance").json()["sessions"]
