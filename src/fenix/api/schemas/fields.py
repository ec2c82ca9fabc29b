"""The kinds of fields that requests and answers are made of, with what is allowed in them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

ID_PATTERN = r"^[A-Za-z0-9._:@~+-]{1,64}$"
"""What may be part of a path without a thought, and fits the database."""

MONTH = 30 * 86400

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r" ?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def read_time(value: Any) -> datetime:
    """A time as naive UTC, from the forms of the wire contract ("Conventions").

    Raises:
        ValueError: it is in another form, or no time.
    """
    allowed = "a time as YYYY-MM-DD HH:MM:SS in UTC, or ISO 8601"
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(allowed)
    try:
        time = datetime.fromisoformat(value.replace(" ", "T", 1).replace(" ", ""))
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{allowed}; {error}") from error


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("printable characters only")
    return value


RequestTime = Annotated[
    datetime,
    BeforeValidator(read_time),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_TIME.pattern}$", "examples": ["2030-01-31 22:00:00"]}
    ),
]
Time = Annotated[
    datetime,
    PlainSerializer(lambda time: time.isoformat(timespec="seconds"), return_type=str),
    Field(description="Naive UTC.", examples=["2030-01-31T22:00:00"]),
]
Ident = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
Label = Annotated[str, Field(max_length=255), AfterValidator(_printable)]
Seconds = Annotated[int, Field(ge=0, le=MONTH)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Body(BaseModel):
    """A request; types are as in JSON, so that 1 is not true and "60" no number."""

    model_config = ConfigDict(strict=True)


class StrictBody(Body):
    """A request in which an unknown field is an error: a misspelt one would do harm."""

    model_config = ConfigDict(strict=True, extra="forbid")


class View(BaseModel):
    """An answer, or a part of one; made from the objects of the domain."""

    model_config = ConfigDict(from_attributes=True)


class Empty(View):
    """The answer where there is nothing to tell: ``{}``."""
