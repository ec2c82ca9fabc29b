"""Turns errors into answers: all have the same body (wire contract, "Conventions")."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fenix.api.auth import NoValidToken
from fenix.api.validation import TooSlow, first_error
from fenix.clouds import CloudError, CloudUnavailable
from fenix.domain import FenixError, TooLarge, TooMany
from fenix.store import DatabaseUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5
LONGEST_MESSAGE = 1000


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: int = Field(description="The HTTP status.", examples=[400])
    title: str = Field(description="The kind of error.", examples=["Bad request"])
    message: str = Field(
        description="What is wrong, with the name of the field, and what is allowed.",
        examples=["recovery_time: '60,' is not valid; allowed: a valid integer"],
    )


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def error_response(
    code: int, title: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An answer that is not a success."""
    # A message may quote what was sent, which may be long.
    shown = message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 3] + "..."
    body = ErrorBody(error=ErrorDetail(code=code, title=title, message=shown))
    return JSONResponse(body.model_dump(), code, dict(headers or {}))


def internal_error() -> JSONResponse:
    """The answer to a call that failed in a way that nobody thought of."""
    return error_response(
        500, "Internal error", "Something went wrong here; the log says what, by the request's id."
    )


def documented(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a call, for the API's description.

    Who is asked for a token may also be told to call less often, and who sends a body that it
    takes too long.
    """
    codes += (429,) * (401 in codes) + (408,) * (413 in codes)
    return {
        code: {"model": ErrorBody, "description": _MEANING[code]} for code in sorted(set(codes))
    }


_MEANING = {
    400: "Malformed or not allowed; the message names the field.",
    401: "No valid token.",
    403: "The caller may not do this.",
    404: "There is no such thing.",
    409: "Not possible in the present state.",
    408: "The body did not come in time.",
    413: "The body, or what it asks for, is too large; the message names the limit.",
    429: "Too many of them, or of calls; the message names the limit.",
    503: "The database, the cloud or Keystone does not answer; with Retry-After: try again.",
}


async def _fenix_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FenixError)
    headers = {}
    if isinstance(error, NoValidToken):
        headers["WWW-Authenticate"] = error.challenge
    if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, TooMany) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    endless = isinstance(error, TooLarge) and "content-length" not in request.headers
    if endless or isinstance(error, TooSlow):
        headers["Connection"] = "close"  # nobody will read the rest of the body
    return error_response(error.code, error.title, str(error), headers)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    what = "database" if isinstance(error, DatabaseUnavailable) else "cloud"
    log.warning("the %s does not serve the API: %s", what, error)
    return error_response(
        503,
        "Service unavailable",
        f"The {what} does not answer; try again.",
        {"Retry-After": str(RETRY_SECONDS)},
    )


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """The cloud lets Fenix not do what a call needs: nothing that trying again would change."""
    log.error("the cloud refuses what the API needs: %s", error)
    return error_response(
        503,
        "Service unavailable",
        "The cloud refuses what this call needs; Fenix' log says what, by the request's id.",
    )


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A part of the path or the query is not as described."""
    assert isinstance(error, RequestValidationError)
    found = first_error(error.errors(), skip=1)
    return error_response(found.code, found.title, str(found))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What the routing finds wrong: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase.capitalize()
    message = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = f"There is nothing at {request.url.path}."
    if allowed := (error.headers or {}).get("Allow"):
        message = f"{request.method} is not possible here; allowed: {allowed}."
    return error_response(error.status_code, title, message, error.headers)


async def _gone(_: Request, error: Exception) -> JSONResponse:
    """The client hung up before its request was complete; nobody will read this."""
    return error_response(400, "Bad request", "The request ended early.")


Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]
_HANDLERS: dict[type[Exception], Handler] = {
    FenixError: _fenix_error,
    DatabaseUnavailable: _unavailable,
    CloudUnavailable: _unavailable,
    CloudError: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http_error,
    ClientDisconnect: _gone,
}


def install(app: FastAPI) -> None:
    """Makes an application answer errors like this."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
