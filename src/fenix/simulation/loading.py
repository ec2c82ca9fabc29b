"""Reads scenario files, and says what is wrong with one in the words of its author."""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

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
        return Scenario.model_validate(data)
    except ValidationError as error:
        told = [_explain(one, node or _compose(text)) for one in error.errors()[:10]]
        raise BadScenario("\n".join(f"{name}: {line}" for line in told)) from None


def _read(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text), None
        except json.JSONDecodeError:
            pass  # It may still be YAML in flow style.
    try:
        return yaml.load(text, yaml.CSafeLoader), None
    except yaml.YAMLError as error:
        raise BadScenario(f"{name}: {error}") from error


def _compose(text: str) -> yaml.Node | None:
    return yaml.compose(text, yaml.CSafeLoader)


def _explain(error: Any, node: yaml.Node | None) -> str:
    path = [part for part in error["loc"] if part != "function-after"]
    line = _line(path, node)
    key = ".".join(str(part) for part in path)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "this key is not known"
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
