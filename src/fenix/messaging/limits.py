"""What a message may hold so that it survives Telemetry.

Ceilometer sends Python's text for a list or a dict, cut off, and managers read it as YAML or as a
Python literal. What they would misread has to be refused before a session starts, when there is
still someone to tell.
"""

import ast
from collections.abc import Iterator
from typing import Any

import yaml

from fenix.messaging.bodies import TRAIT_LENGTH


def unfit_for_trait(value: Any) -> str | None:
    """Why a JSON value would not arrive whole; None: it would.

    Source: the wire contract, "Messages", on Ceilometer's traits. A text at the top is sent as it
    is; everything else as Python writes it, and must read the same as YAML and as Python.
    """
    try:
        text = str(value)
        if len(text) >= TRAIT_LENGTH:
            return f"it takes {len(text)} characters, and must stay below {TRAIT_LENGTH}"
        if isinstance(value, str) or _reads_back(value, text):
            return None
        culprit = next(_culprits(value))
    except (RecursionError, ValueError):  # ValueError: Python writes no integers of 5000 digits
        return "it is nested too deeply, or holds too long a number"
    return f"{culprit} reads differently in YAML and in Python"


def _culprits(value: Any) -> Iterator[str]:
    """The smallest parts that do not read back, as Python writes them."""
    parts: list[Any] = []
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list):
        parts = value
    for part in parts:
        if not _reads_back(part, repr(part)):
            yield from _culprits(part)
    yield repr(value)


def _reads_back(value: Any, text: str) -> bool:
    # OPNFV Doctor's managers take every u' for Python 2's mark of a text and cut out the u.
    as_doctor_reads = text.replace("u'", "'")
    try:
        return _same(ast.literal_eval(text), value) and _same(
            yaml.safe_load(as_doctor_reads), value
        )
    except (ValueError, SyntaxError, yaml.YAMLError):
        return False


def _same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and from True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
