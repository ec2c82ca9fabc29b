"""What an operator reads when a session fails."""

import pytest

from fenix.engine.reasons import expected, lost_lease, reason
from fenix.store import LeaseLost
from fenix.workflows import SessionFailed

NESTED = ExceptionGroup(
    "outer",
    [
        ValueError("an odd value"),
        ExceptionGroup("inner", [SessionFailed("host a"), SessionFailed("host b")]),
    ],
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SessionFailed("no room"), "no room"),
        (KeyError("compute-1"), "KeyError: 'compute-1'"),
        (NESTED, "host a; host b"),
        (ExceptionGroup("", [ValueError("a"), OSError("b")]), "ValueError: a; OSError: b"),
        (ExceptionGroup("", [SessionFailed("same"), SessionFailed("same")]), "same"),
    ],
)
def test_the_workflows_own_reasons_come_first_and_each_once(error: Exception, text: str) -> None:
    assert reason(error) == text


def test_only_a_workflows_decision_is_expected() -> None:
    assert expected(ExceptionGroup("", [SessionFailed("a"), SessionFailed("b")]))
    assert not expected(NESTED)
    assert not expected(ValueError())


def test_a_lost_lease_is_found_however_deep() -> None:
    assert lost_lease(ExceptionGroup("", [ValueError(), ExceptionGroup("", [LeaseLost("s")])]))
    assert not lost_lease(NESTED)
