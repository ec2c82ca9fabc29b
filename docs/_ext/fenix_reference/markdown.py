"""The little Markdown that the generated pages need."""

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class NotDescribed(Exception):
    """The code has something that the documentation does not know, or the other way round."""


def code(value: object) -> str:
    """Inline code; nothing for None and the empty text."""
    text = str(value)
    if value is None or text == "":
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def cell(text: object) -> str:
    """A table's cell: one line, with its bars escaped."""
    return " ".join(str(text).split()).replace("|", r"\|")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def example(value: object) -> str:
    """A block of JSON."""
    return f"```json\n{json.dumps(value, indent=2)}\n```\n"


def first_line(documented: object) -> str:
    """The first line of something's docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def plain(text: str) -> str:
    """A docstring's prose without reStructuredText's double backticks."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def check(what: str, described: Iterable[str], existing: Iterable[str]) -> None:
    """Makes sure that descriptions and code know the same names.

    Raises:
        NotDescribed: with the names that only one of them knows.
    """
    described, existing = set(described), set(existing)
    if missing := sorted(existing - described):
        raise NotDescribed(f"{what}: the documentation does not describe {', '.join(missing)}")
    if gone := sorted(described - existing):
        raise NotDescribed(f"{what}: the code does not have {', '.join(gone)}")


def described(what: str, texts: Mapping[str, str], existing: Sequence[str]) -> list[Any]:
    """Rows of names and texts in the order of the code; see `check`."""
    check(what, texts, existing)
    return [(code(name), texts[name]) for name in existing]
