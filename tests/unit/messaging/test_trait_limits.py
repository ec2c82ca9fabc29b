import ast
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fenix.messaging.limits import unfit_for_trait


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"a": True, "b": False},
        {"a": {"b": [1, -2, 2.5, "x", {}, []]}},
        {"a": "it's"},
        {"a": 'say "hi"'},
        {"a": "none", "yes": "no", "b": "null", "c": "1", "d": ""},
        {"a": "# no: [comment] {}, &x *y !z |"},
        {"a": "Zürich ☃"},
        {"a": 10**30},
        {"a": "x" * 245},
        nested(120),
    ],
)
def test_what_survives(metadata: object) -> None:
    assert unfit_for_trait(metadata) is None


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"a": None}, "None reads differently"),
        ({"a": {"b": [1, None]}}, "None reads differently"),
        ({"a": """it's "so" """}, "so"),
        ({"a": "two\nlines"}, "lines"),
        ({"a": "back\\slash"}, "slash"),
        ({"a": "bell\x07"}, "bell"),
        ({"bad\tkey": 1}, "key"),
        ({"a": 1e16}, "1e+16 reads differently"),
        ({"a": float("nan")}, "nan reads differently"),
        ({"a": "\ud800"}, "ud800"),
        ({"a": "x" * 246}, "255 characters"),
        ({"a": 10**5000}, "long a number"),
        (nested(100_000), "nested too deeply"),
    ],
)
def test_what_does_not_and_why(metadata: object, why: str) -> None:
    reason = unfit_for_trait(metadata)
    assert reason is not None
    assert why in reason


def test_the_limit_is_exact() -> None:
    assert len(str({"a": "x" * 245})) == 254
    assert unfit_for_trait({"a": "x" * 245}) is None
    assert unfit_for_trait({"a": "x" * 246}) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_what_is_accepted_reads_the_same_both_ways(metadata: dict[str, Any]) -> None:
    if unfit_for_trait(metadata) is None:
        text = str(metadata)[:255]
        assert repr(ast.literal_eval(text)) == repr(metadata) == repr(yaml.safe_load(text))
