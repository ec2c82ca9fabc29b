"""What an operator of the cloud says about who may do what."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fenix import config, service
from fenix.api import BadPolicy, Caller, Policy
from fenix.api.policies import list_rules
from tests.api.calls import CALLS
from tests.api.harness import Api, problem


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the policy file of a configuration."""
    (tmp_path / "fenix.conf").write_text(
        f"[DEFAULT]\nstate_path = {tmp_path}\nchannels =\n[api]\nauth_strategy = none\n"
        f"[oslo_policy]\npolicy_file = {tmp_path}/policy.yaml\n"
        f"[database]\nconnection = sqlite:///{tmp_path}/fenix.sqlite\n"
    )
    times = iter(range(1, 100))

    def write(text: str) -> Path:
        file = tmp_path / "policy.yaml"
        file.write_text(text)
        os.utime(file, (next(times),) * 2)  # two within one tick of the clock
        return tmp_path / "fenix.conf"

    return write


def test_each_call_has_a_policy_and_each_policy_a_call() -> None:
    documented = {
        f"{operation['method']} {operation['path']}"
        for rule in list_rules()
        for operation in getattr(rule, "operations", ())
    }
    assert documented == {call.route for call in CALLS}
    for rule in list_rules():
        assert rule.description.endswith(".")


def test_a_file_says_otherwise_and_may_change(written: Callable[[str], Path]) -> None:
    conf = config.load(files=[written('"session:list": "role:_member_"')])
    api = Api(policy=Policy(conf, look_every=0))

    def status(caller: str) -> int:
        return api.call("GET", "/v1/maintenance", as_=caller).status_code

    assert (status("p2"), status("admin")) == (200, 403)
    written('"admin": "role:reader"')
    assert (status("p2"), status("p2-reader"), status("system-admin")) == (403, 200, 403)
    written("- this is no mapping")
    assert (status("p2"), status("p2-reader")) == (403, 200)
    written('"session:list": "!"')
    assert (status("p2-reader"), status("admin")) == (403, 403)
    api.close()


def test_a_file_that_can_not_be_read_is_told(
    written: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    policy = Policy(config.load(files=[written("{}")]), look_every=0)
    written("- nonsense")
    assert policy.allows(Caller("u", "p", frozenset({"admin"})), "session:create")
    assert "the policy can't be read" in caplog.text


@pytest.mark.parametrize(
    "text", ["- nonsense", '"session:list": "rule:nobody"', '"admin": "rule:admin"', "{"]
)
def test_a_service_does_not_start_with_a_policy_that_can_not_work(
    written: Callable[[str], Path], text: str
) -> None:
    conf = config.load(files=[written(text)])
    with pytest.raises(BadPolicy, match="the policy can't be used"):
        Policy(conf)
    parts = service.build(conf, Api().cloud)
    with pytest.raises(service.CannotStart, match=r"\[oslo_policy\]: the policy"):
        parts.services(None)


def test_a_policy_that_nobody_asks_is_told(
    written: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    Policy(config.load(files=[written('"session:creat": "@"')]))
    assert "'session:creat', which nobody ever asks" in caplog.text


ADMIN, READER = frozenset({"admin"}), frozenset({"reader"})


@pytest.mark.parametrize(
    ("caller", "admin_project", "allowed"),
    [
        # Keystone does not say which project is the administrators': all are, as ever.
        (Caller("u", "any", ADMIN), None, {"admin", "reader"}),
        (Caller("u", "any", READER), None, set()),
        # Keystone says so.
        (Caller("u", "any", ADMIN, is_admin_project=False), None, set()),
        # Fenix's configuration says so.
        (Caller("u", "cloud", ADMIN), "cloud", {"admin", "reader"}),
        (Caller("u", "cloud", READER), "cloud", {"reader"}),
        (Caller("u", "cloud", ADMIN, is_admin_project=False), "cloud", set()),
        (Caller("u", "any", ADMIN), "cloud", set()),
        (Caller("u", "any", READER), "cloud", set()),
        # Tokens for the system need no project.
        (Caller("u", None, ADMIN, system=True), None, {"admin", "reader"}),
        (Caller("u", None, ADMIN, system=True), "cloud", {"admin", "reader"}),
        (Caller("u", None, READER, system=True), None, {"reader"}),
        # Of a domain, or of nothing at all.
        (Caller("u", None, ADMIN, domain_id="d"), None, set()),
        (Caller("u", None, ADMIN), None, set()),
        (Caller("u", None, READER), None, set()),
    ],
)
def test_who_administers_the_cloud(
    caller: Caller, admin_project: str | None, allowed: set[str]
) -> None:
    policy = Policy(admin_project_id=admin_project)
    assert {rule for rule in ("admin", "reader") if policy.allows(caller, rule)} == allowed
    assert policy.allows(caller, "session:create") == ("admin" in allowed)
    assert policy.allows(caller, "session:list") == ("reader" in allowed)


def test_an_error_names_the_policy_and_the_project(api: Api) -> None:
    answer = api.call("PUT", "/v1/instance/i1", {"group_id": ""}, as_="p1-reader")
    assert problem(answer, 403) == (
        "The policy 'constraints:put' of project p1 does not allow this with your token."
    )
