"""Makes the request for a session from the words of a command line."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import typer

_LATER = re.compile(r"\+(\d{1,9})\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def start_time(text: str) -> str:
    """When to begin, in the API's form.

    Args:
        text: "now", "+30s" (or m, h, d), or a time, which the API reads.
    """
    later = _LATER.fullmatch(text)
    if text != "now" and not later:
        return text
    seconds = int(later[1]) * _UNITS[later[2]] if later else 0
    time = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)
    return time.isoformat(sep=" ", timespec="seconds")


def action(text: str) -> dict[str, Any]:
    """An action.

    Args:
        text: PLUGIN:TYPE, or PLUGIN:TYPE:{...} with its metadata as JSON.

    Raises:
        typer.BadParameter: it is in another form.
    """
    plugin, _, rest = text.partition(":")
    kind, _, metadata = rest.partition(":")
    if not plugin or not kind:
        raise typer.BadParameter(f"{text!r} is not valid; allowed: PLUGIN:TYPE or PLUGIN:TYPE:JSON")
    made: dict[str, Any] = {"plugin": plugin, "type": kind}
    if metadata:
        made["metadata"] = _object(metadata)
    return made


def metadata(words: Sequence[str]) -> dict[str, Any]:
    """Metadata from KEY=VALUE and JSON objects; later ones win.

    Raises:
        typer.BadParameter: one is neither.
    """
    found: dict[str, Any] = {}
    for word in words:
        if word.lstrip().startswith("{"):
            found |= _object(word)
        else:
            name, value = _pair(word)
            found[name] = value
    return found


def options(words: Sequence[str]) -> dict[str, Any]:
    """Options from NAME=VALUE; numbers are numbers, and null is none.

    Raises:
        typer.BadParameter: one has no name or value.
    """
    found = {}
    for word in words:
        name, value = _pair(word)
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{word!r} is not valid; allowed: NAME=VALUE")
    return name, value


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{text!r} is not valid; allowed: a JSON object")
    return found
