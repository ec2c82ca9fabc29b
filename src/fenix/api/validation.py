"""Reads what clients send, strictly, whatever Content-Type they name.

What a database of those that are supported can't keep (NUL characters, infinite numbers, deep
nesting) is refused here, so that nothing a client sends can fail later on.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from fenix.api.services import services_of
from fenix.domain import FenixError, InvalidField, TooLarge

DEEPEST = 16
"""Levels of nesting; MariaDB's JSON ends at 32."""
LONGEST_NUMBER = 10**18
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""Pydantic's words for a field that a model, or a dataclass in it, does not have."""

M = TypeVar("M", bound=BaseModel)


class Malformed(FenixError):
    """The body is not what it has to be."""

    code = 400
    title = "Bad request"


class TooSlow(FenixError):
    """The body did not come in time."""

    code = 408
    title = "Request timeout"


def body_of(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency that gives the request's body as a model.

    It raises `InvalidField`, `Malformed`, `TooLarge` or `TooSlow`. As a dependency, and not
    FastAPI's own body, it comes after the check of who calls, and has a say in how JSON is read.
    """

    async def read(request: Request) -> M:
        settings = services_of(request).settings
        try:
            async with asyncio.timeout(settings.body_timeout):
                raw = await _read(request, settings.max_body_bytes)
        except TimeoutError:
            raise TooSlow(
                f"The body did not come within {settings.body_timeout:g} s; the limit is "
                "[api] body_timeout."
            ) from None
        return parse(model, raw)

    return read


def parse(model: type[M], raw: bytes) -> M:
    """A JSON object as a model.

    Raises:
        InvalidField: a field is wrong.
        Malformed: it is no JSON object.
    """
    try:
        data = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"The body is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise Malformed("The body has to be a JSON object.")
    _check(data)
    try:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            if not _make_whole(data, error):
                raise
            return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        if found[0]["type"] in UNKNOWN:
            raise _unknown(model, found[0]["loc"]) from error
        raise first_error(found) from error


def _unknown(model: type[BaseModel], loc: Sequence[str | int]) -> Malformed:
    """An unknown field, with those that are known beside it."""
    schema = _schema(model)
    node: Any = schema
    for part in (*loc[:-1], None):
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        if part is not None:
            inner = node.get("properties", {}).get(part)
            node = (node.get("items") if isinstance(part, int) else inner) or {}
    known = ", ".join(node.get("properties", ()))
    field = ".".join(str(part) for part in loc)
    return Malformed(f"{field} is not a known field{known and f'; allowed: {known}'}.")


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _make_whole(data: Any, error: ValidationError) -> bool:
    """Turns numbers like 60.0 into integers where these are wanted.

    JSON Schema (Core 2020-12, 4.2.3) counts them as integers, and some languages write them so.
    """
    changed = False
    for one in error.errors(include_url=False, include_context=False):
        value = one["input"]
        if one["type"] == "int_type" and isinstance(value, float) and value.is_integer():
            *path, last = one["loc"]
            inner = data
            for part in path:
                inner = inner[part]
            inner[last] = int(value)
            changed = True
    return changed


def first_error(errors: Sequence[Mapping[str, Any]], skip: int = 0) -> FenixError:
    """The first of pydantic's errors in our words.

    Args:
        skip: parts of the location that are not the caller's.
    """
    error = errors[0]
    field = ".".join(str(part) for part in error["loc"][skip:]) or "body"
    if error["type"] == "missing":
        return Malformed(f"{field} is missing.")
    allowed = str(error["msg"])
    for prefix in ("Input should be ", "Value error, "):
        allowed = allowed.removeprefix(prefix)
    value = "***" if field == "secret" else error["input"]
    return InvalidField(field, value, allowed)


async def _read(request: Request, limit: int) -> bytes:
    """The body, of which no more than `limit` bytes are kept."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _too_large(limit)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise _too_large(limit)
    return bytes(raw)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes; the limit is [api] max_body_bytes.")


def _check(value: Any, path: tuple[object, ...] = ()) -> None:
    """Refuses what could not be kept.

    Args:
        path: to the value; made into text only for an error, since names may be long, and many.
    """
    if isinstance(value, dict | list):
        if len(path) >= DEEPEST:
            raise Malformed(f"{_field(path)} is nested more than {DEEPEST} levels deep.")
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(key, str) and "\0" in key:
                raise Malformed(
                    f"{_field(path) or 'The body'} has a name with a NUL character in it."
                )
            _check(item, (*path, key))
    elif isinstance(value, str) and "\0" in value:
        raise InvalidField(_field(path), value, "text without NUL characters")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidField(_field(path), value, "a finite number")
    elif isinstance(value, int) and abs(value) > LONGEST_NUMBER:
        raise InvalidField(_field(path), "a very large number", f"at most {LONGEST_NUMBER}")


def _field(path: tuple[object, ...]) -> str:
    return ".".join(str(part) or "''" for part in path)
