"""Turns dataclasses into rows and back; columns and fields have the same names on purpose."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult


def values(record: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass as the values of columns, not going deeper."""
    names = record.__dataclass_fields__  # `fields` makes a new list at each call
    return {name: getattr(record, name) for name in names if name not in without}


def dicts(result: CursorResult[Any]) -> Iterator[dict[str, Any]]:
    """Rows by the names of their columns; SQLAlchemy's own mappings cost several times as much."""
    names = tuple(result.keys())
    return (dict(zip(names, row, strict=True)) for row in result.all())


def naive_utc(time: datetime) -> datetime:
    """A time as the store keeps it."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
