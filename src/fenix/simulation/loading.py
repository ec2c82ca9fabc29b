"""Reads scenario files, and says what is wrong with one in the words of its author."""

import contextlib
import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fenix.simulation.consistency import WrongPart
from fenix.simulation.scenario import Scenario


class BadScenario(Exception):
    """The file is no scenario; the text says where and why."""


def load(path: Path) -> Scenario:
    """Reads a scenario from a YAML or JSON file.

    Raises:
        BadScenario: with the key, the value and, where it can be known, the line.
        OSError: the file can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadScenario(f"{path}: not UTF-8: {error}") from error
    return parse(text, str(path))


def parse(text: str, name: str = "scenario") -> Scenario:
    """Reads a scenario from YAML or JSON text; see `load`."""
    data, node = _read(text, name)
    if not isinstance(data, dict):
        raise BadScenario(f"{name}: {_short(data)} is not a scenario; allowed: a mapping")
    try:
        # By way of JSON a list may stand for a tuple and a word for a choice, but no text or truth
        # value for a number.
        return Scenario.model_validate_json(_plain(data, name), strict=True)
    except ValidationError as error:
        told = [_explain(one, node or _compose(text)) for one in _worth_telling(error)]
        raise BadScenario("\n".join(f"{name}: {line}" for line in told)) from None


def _plain(data: Any, name: str) -> str:
    try:
        return json.dumps(data, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadScenario(f"{name}: {error}") from error


def _read(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    if text.lstrip().startswith("{"):
        # Otherwise it may still be YAML in flow style, which also knows the lines, but is slow.
        with contextlib.suppress(json.JSONDecodeError, _Twice):
            return json.loads(text, object_pairs_hook=_once), None
    try:
        node = _compose(text)
        _check_keys(node, name, set())
        return yaml.load(text, yaml.CSafeLoader), node
    except yaml.YAMLError as error:
        raise BadScenario(f"{name}: {error}") from error


class _Twice(Exception):
    """A mapping has a key more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _compose(text: str) -> yaml.Node | None:
    return yaml.compose(text, yaml.CSafeLoader)


def _check_keys(node: yaml.Node | None, name: str, done: set[int]) -> None:
    """Makes sure that no mapping has a key twice, of which YAML would take the last one.

    Args:
        done: ids of the nodes that need no look: aliases lead to the same ones again.
    """
    if id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in seen:
                line = key.start_mark.line + 1
                raise BadScenario(f"{name}: line {line}: key {key.value!r} is there more than once")
            seen.add(str(key.value))
            _check_keys(value, name, done)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value, name, done)


def _worth_telling(error: ValidationError) -> list[Any]:
    """The first errors, without those that only follow from an error further in."""
    found: list[Any] = list(error.errors())
    deeper = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    return [one for one in found if one["type"] != "too_short" or one["loc"] not in deeper][:10]


_WORDS = {
    "extra_forbidden": "this key is not known",
    "too_short": "at least one is needed",
    "model_type": "not a mapping",
    "tuple_type": "not a list",
}


def _explain(error: Any, node: yaml.Node | None) -> str:
    path = [part for part in error["loc"] if part != "function-after"]
    key = ".".join(str(part) for part in path)
    message = _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, WrongPart):
        path = [*cause.path]
    line = _line(path, node)
    shown = (
        "" if error["type"] in ("missing", "value_error") else f" (it is {_short(error['input'])})"
    )
    where = f"line {line}: " if line else ""
    return f"{where}{key + ': ' if key else ''}{message}{shown}"


def _line(path: list[Any], node: yaml.Node | None) -> int | None:
    """The line (from 1) on which the last part of a path that exists begins."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            if not pairs:
                break
            node = pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        else:
            break
    return node.start_mark.line + 1 if node and path else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
