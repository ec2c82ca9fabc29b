"""Group ``[session]``: made from `SessionOptions`, so that each option has one description."""

from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le
from oslo_config import cfg

from fenix.domain import SessionOptions


def session_opts() -> Iterator[cfg.Opt]:
    """An option for each field of `SessionOptions`, with its limits and text."""
    hints = get_type_hints(SessionOptions, include_extras=True)
    for field in fields(SessionOptions):
        yield _option(field.name, field.default, hints[field.name])


def _option(name: str, default: Any, hint: Any) -> cfg.Opt:
    kind = hint
    notes: list[Any] = []
    while get_origin(kind) in (Annotated, Union, UnionType):
        if get_origin(kind) is Annotated:
            notes += get_args(kind)[1:]
            kind = get_args(kind)[0]
        else:
            kind = next(part for part in get_args(kind) if part is not NoneType)
    text = next(note.documentation for note in notes if hasattr(note, "documentation"))
    if issubclass(kind, StrEnum):
        return cfg.StrOpt(name, default=default.value, choices=list(kind), help=text)
    low: Any = next((note.ge for note in notes if isinstance(note, Ge)), None)
    high: Any = next((note.le for note in notes if isinstance(note, Le)), None)
    number = cfg.FloatOpt if kind is float else cfg.IntOpt
    return number(name, default=default, min=low, max=high, help=text)


def session_options(conf: cfg.ConfigOpts) -> SessionOptions:
    """The options of a session that chooses none."""
    values = {field.name: conf.session[field.name] for field in fields(SessionOptions)}
    for field in fields(SessionOptions):
        if isinstance(field.default, StrEnum):
            values[field.name] = type(field.default)(values[field.name])
    return SessionOptions(**values)
