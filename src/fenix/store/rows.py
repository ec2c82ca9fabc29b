"""Turns dataclasses into rows; columns and fields have the same names on purpose."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any


def values(record: Any, without: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass as the values of columns, not going deeper."""
    skip = set(without)
    return {f.name: getattr(record, f.name) for f in fields(record) if f.name not in skip}


def naive_utc(time: datetime) -> datetime:
    """A time as the store keeps it."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
