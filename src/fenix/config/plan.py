"""Group ``[plan]``: what plans assume, made from `Assumptions`, and what they may cost."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from annotated_types import Ge, Le
from oslo_config import cfg

from fenix.domain.assumptions import Assumptions

TIME_LIMIT = 900.0


def plan_opts() -> Iterator[cfg.Opt]:
    """An option for each field of `Assumptions`, with its limits and text, and those of ours."""
    hints = get_type_hints(Assumptions, include_extras=True)
    for field in fields(Assumptions):
        kind, *notes = get_args(hints[field.name])
        text = next(note.documentation for note in notes if hasattr(note, "documentation"))
        yield _option(field.name, kind, field.default, notes, text)
    yield cfg.FloatOpt(
        "time_limit",
        default=TIME_LIMIT,
        min=1,
        max=3600,
        help="Seconds of this machine's time that a plan may take to be made; a process of the "
        "API makes one at a time, in a process of its own.",
    )


def _option(name: str, kind: Any, default: Any, notes: list[Any], text: str) -> cfg.Opt:
    if kind is bool:
        return cfg.BoolOpt(name, default=default, help=text)
    low: Any = next((note.ge for note in notes if isinstance(note, Ge)), None)
    high: Any = next((note.le for note in notes if isinstance(note, Le)), None)
    number = cfg.FloatOpt if kind is float else cfg.IntOpt
    return number(name, default=default, min=low, max=high, help=text)


def assumptions(conf: cfg.ConfigOpts) -> Assumptions:
    """What a plan assumes whose request does not say otherwise."""
    return Assumptions(**{field.name: conf.plan[field.name] for field in fields(Assumptions)})
