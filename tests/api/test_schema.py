"""Schemathesis: what the API's own description allows or forbids is sent, by callers of each kind.

Its checks hold: no 5xx, nothing that is not described (status, headers, body), no bad input
taken. That nothing good is refused is checked here, since no description can say all. Besides,
nobody is told what is another project's.
"""

import json
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig as Config
from schemathesis.schemas import BaseSchema

from tests.api.calls import CALLS, SECRETS, Call, fill
from tests.api.harness import Api
from tests.api.test_subscriptions import http_channel

pytestmark = pytest.mark.fuzz

CALLERS = ("admin", "p1", "p2", None)
EXAMPLES = 19
"""Of each operation for each caller, at most: more than 2,000 in all."""

UNDESCRIBED = (
    "actions.",  # plug-ins that are not installed
    "group_id:",  # another one than in the path
    "group_name:",  # what can't be printed
    "hosts",  # what is no host
    "instance_id:",
    "instance_name:",
    "maintenance_at:",  # no day of a calendar, or too far away
    "metadata",  # what fits no notification
    "download",
    "secret:",  # too short, or no base64
    "state:",  # none of the session's workflow
    "url:",
    "workflow:",
)
"""How refusals begin that JSON Schema can't foretell."""
UNKEEPABLE = ("a very large number", "NUL character", "nested more than", "a finite number")
"""Refused wherever they are, also in fields that are ignored: `fenix.api.validation`."""


@pytest.fixture(scope="module")
def filled() -> Iterator[Api]:
    """One API for all, with something of p1's in it."""
    api = Api(channels=(http_channel(),))
    fill(api)
    yield api
    api.close()


@pytest.fixture(scope="module")
def described(filled: Api) -> BaseSchema:
    config = Config.from_dict(
        {
            "checks": {"positive_data_acceptance": {"enabled": False}},  # see `refused_with_reason`
            "generation": {
                "with-security-parameters": False,  # the token is ours to choose
                "allow-extra-parameters": False,  # what a query holds besides is ignored
            },
        }
    )
    return schemathesis.openapi.from_asgi("/openapi.json", filled.app, config=config)


def refused_with_reason(case: schemathesis.Case, status: int, text: str) -> None:
    """What is as described may be refused only for what no description can say."""
    if case.meta and case.meta.generation.mode is GenerationMode.POSITIVE and status == 400:
        message = json.loads(text)["error"]["message"]
        known = message.startswith(UNDESCRIBED) or any(what in message for what in UNKEEPABLE)
        assert known, f"{message}\n{case.as_curl_command()}"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.route)
def test_as_described(described: BaseSchema, call: Call, caller: str | None) -> None:
    method, path = call.route.split()
    operation = described[path][method]
    cases = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases))
    def send(case: schemathesis.Case) -> None:
        answer = case.call(headers={"X-Auth-Token": caller} if caller else {})
        case.validate_response(answer)
        refused_with_reason(case, answer.status_code, answer.text)
        if caller is None:
            assert answer.status_code in (400, 401, 404, 405)
        if caller == "p2":
            for secret in SECRETS:
                assert secret in str(case.formatted_path) or secret not in answer.text

    send()


def test_there_are_enough_cases() -> None:
    assert len(CALLS) * len(CALLERS) * EXAMPLES >= 2000
