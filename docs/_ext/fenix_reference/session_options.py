"""The options of a session, from the annotations of `SessionOptions`."""

from dataclasses import fields
from enum import StrEnum

from fenix.config.session import session_opts
from fenix.domain import SessionOptions
from fenix_reference.markdown import code, table


def page() -> str:
    """One table."""
    opts = {opt.dest: opt for opt in session_opts()}
    rows = []
    for field in fields(SessionOptions):
        opt = opts[field.name]
        rows.append(
            (code(field.name), _allowed(opt.type), code(_text(field.default)) or "unset", opt.help)
        )
    return table(("option", "allowed", "default", "meaning"), rows)


def _allowed(kind: object) -> str:
    if choices := getattr(kind, "choices", None):
        return ", ".join(code(str(choice)) for choice in choices)
    low, high = getattr(kind, "min", 0), getattr(kind, "max", 0)
    return f"{low:g} to {high:,}".replace(",", " ").removesuffix(".0")


def _text(default: object) -> object:
    if isinstance(default, StrEnum):
        return default.value
    return f"{default:g}" if isinstance(default, float) else default
