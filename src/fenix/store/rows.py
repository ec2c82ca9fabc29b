"""Turns dataclasses into rows; columns and fields have the same names on purpose."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any


def values(record: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass as the values of columns, not going deeper."""
    names = record.__dataclass_fields__  # `fields` makes a new list at each call
    return {name: getattr(record, name) for name in names if name not in without}


def naive_utc(time: datetime) -> datetime:
    """A time as the store keeps it."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
