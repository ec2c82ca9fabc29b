"""Which of the cloud's failures may pass by themselves, and what to tell about each.

`CloudUnavailable`, the same call may work later:
    no connection, a broken one, a time-out; an answer that is not JSON (a proxy's page);
    401: keystoneauth has already tried with a fresh token, so Keystone or its keys are in
    trouble, or the account is locked or mistyped: an operator mends it, the session need not fail;
    408, 429 and 5xx. After a POST it is unknown whether the request was carried out.

`CloudError`, the request itself is the problem:
    every other 4xx. 409 is among them: Nova answers it when the instance's state does not allow
    the action (busy, stopped, locked), which has to be decided anew, not repeated blindly; the
    one conflict that others would repeat, of generations in Placement, comes from writing
    there, which Fenix does not. 501 and 505 as well; an endpoint that the catalog lacks; a
    configuration that keystoneauth refuses.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from keystoneauth1 import exceptions

from fenix.clouds.base import CloudError, CloudUnavailable

_PASSING = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_LASTING = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED}
_LONGEST = 500


class Refused(CloudError):
    """A request was answered with an error that would come again.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def failure(request: str, status: int, body: str) -> CloudError | CloudUnavailable:
    """The exception for an HTTP answer of 300 or more.

    Args:
        request: method and path, for the message.
    """
    text = f"{request}: {status} {_message(body) or _phrase(status)}"
    if status in _PASSING or (status >= 500 and status not in _LASTING):
        return CloudUnavailable(text)
    return Refused(status, text)


@contextmanager
def translated(request: str) -> Iterator[None]:
    """Turns what keystoneauth raises into the port's two exceptions."""
    try:
        yield
    except exceptions.HttpError as error:  # Keystone, when a token was asked for
        where = f"{error.method} {error.url} (for {request})"
        body = error.response.text if error.response is not None else ""
        raise failure(where, error.http_status, body or str(error)) from error
    except (
        exceptions.ConnectionError,
        exceptions.DiscoveryFailure,
        exceptions.InvalidResponse,
    ) as error:
        raise CloudUnavailable(f"{request}: {error}") from error
    except exceptions.ClientException as error:
        raise CloudError(f"{request}: {error}") from error


def _message(body: str) -> str:
    """The words for people in an OpenStack error's body, bounded."""
    try:
        found = json.loads(body)
    except ValueError:
        return _bounded(body)
    match found:
        case {"errors": [{"detail": str(text)}, *_]}:  # Placement
            return _bounded(text)
        case {**parts} if len(parts) == 1:  # Nova, Keystone: one key names the kind
            inner = next(iter(parts.values()))
            if isinstance(inner, dict) and isinstance(inner.get("message"), str):
                return _bounded(inner["message"])
    return _bounded(body)


def _bounded(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
