"""Which failures pass by themselves, and what is told about them."""

import json

import pytest
from keystoneauth1 import exceptions

from fenix.clouds import CloudError, CloudUnavailable
from fenix.clouds.openstack.errors import Refused, failure, translated


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504])
def test_failures_that_may_pass(status: int) -> None:
    assert isinstance(failure("GET /x", status, ""), CloudUnavailable)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 410, 413, 501, 505])
def test_failures_that_will_not(status: int) -> None:
    error = failure("GET /x", status, "")
    assert isinstance(error, Refused)
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"conflictingRequest": {"code": 409, "message": "it is\nlocked"}}, "it is locked"),
        ({"error": {"code": 409, "message": "no", "title": "Conflict"}}, "no"),
        ({"errors": [{"status": 409, "title": "Conflict", "detail": "too full"}]}, "too full"),
        ({"strange": "thing"}, '{"strange": "thing"}'),
        ([1], "[1]"),
    ],
)
def test_the_services_words_are_told(body: object, words: str) -> None:
    text = str(failure("POST /servers/1/action", 409, json.dumps(body)))
    assert text == f"POST /servers/1/action: 409 {words}"


def test_a_page_of_a_proxy_is_shortened() -> None:
    text = str(failure("GET /x", 502, "<html>" + "x" * 5000))
    assert len(text) < 600
    assert text.endswith("...")


def test_an_empty_answer_has_its_phrase() -> None:
    assert str(failure("GET /x", 503, "")) == "GET /x: 503 Service Unavailable"
    assert str(failure("GET /x", 599, "")) == "GET /x: 599 "


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectFailure("refused"),
        exceptions.ConnectTimeout("slow"),
        exceptions.SSLError("expired"),
        exceptions.DiscoveryFailure("nothing there"),
        exceptions.Unauthorized("who?"),
        exceptions.ServiceUnavailable("later"),
    ],
)
def test_keystoneauths_passing_errors(error: Exception) -> None:
    with pytest.raises(CloudUnavailable, match="GET /x"), translated("GET /x"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        exceptions.EndpointNotFound("no compute"),
        exceptions.MissingAuthPlugin("none"),
        exceptions.Forbidden("not you"),
        exceptions.NotFound("no such path"),
    ],
)
def test_keystoneauths_lasting_errors(error: Exception) -> None:
    with pytest.raises(CloudError, match="GET /x"), translated("GET /x"):
        raise error


def test_other_errors_are_not_touched() -> None:
    with pytest.raises(ZeroDivisionError), translated("GET /x"):
        raise ZeroDivisionError
