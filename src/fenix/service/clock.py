"""The time of day, for everything that is not allowed to look at a clock itself."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
