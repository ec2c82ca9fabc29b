"""What commands ask of Fenix over HTTP, and how they say who asks."""

import os
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx

from fenix.cli.errors import CommandFailed

DEFAULT_URL = "http://127.0.0.1:12347/v1"
TIMEOUT = 60.0
PAGE = 1000

Json = dict[str, Any]


class Unreachable(CommandFailed):
    """Fenix did not answer, or not now; asking again may help."""


class ApiError(CommandFailed):
    """Fenix refused.

    Args:
        code: the status.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Transport(Protocol):
    """Carries one request to Fenix, with whatever says who asks."""

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, str]:
        """Status and body of the answer; `path` begins behind ``/v1``.

        Raises:
            Unreachable: there was no answer.
            CommandFailed: it can't be asked at all.
        """
        ...

    def close(self) -> None:
        """Frees connections."""
        ...


class Client:
    """Fenix's API; a context manager. All methods raise `ApiError` or `Unreachable`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees connections."""
        self._transport.close()

    def create_session(self, body: Json) -> str:
        """Creates a session; returns its id."""
        return str(self._call("POST", "/maintenance", body)["session_id"])

    def plan(self, body: Json) -> Json:
        """What a session would do."""
        return self._call("POST", "/plan", body)

    def sessions(self) -> list[Json]:
        """All sessions, oldest first."""
        found = []
        for ident in self._call("GET", "/maintenance")["sessions"]:
            try:
                found.append(self.session(ident))
            except ApiError as error:
                if error.code != 404:  # deleted meanwhile
                    raise
        return found

    def session(self, ident: str) -> Json:
        """Where a session stands."""
        return self._call("GET", f"/maintenance/{_part(ident)}")

    def detail(self, ident: str) -> Json:
        """Everything about a session but its timeline."""
        return self._call("GET", f"/maintenance/{_part(ident)}/detail")

    def timeline(self, ident: str, after: int = 0) -> Iterator[Json]:
        """The lines of a session's timeline behind the one with id `after`."""
        start: int | None = after
        while start is not None:
            path = f"/maintenance/{_part(ident)}/timeline?after={start}&limit={PAGE}"
            page = self._call("GET", path)
            yield from page["timeline"]
            start = page["next"]

    def continue_session(self, ident: str, state: str) -> None:
        """Lets a failed session go on."""
        self._call("PUT", f"/maintenance/{_part(ident)}", {"state": state})

    def delete_session(self, ident: str) -> None:
        """Has a session ended and forgotten."""
        self._call("DELETE", f"/maintenance/{_part(ident)}")

    def undelivered(self, ident: str) -> Iterator[Json]:
        """A session's messages that nobody has taken."""
        start: int | None = 0
        while start is not None:
            path = f"/maintenance/{_part(ident)}/undelivered?after={start}&limit={PAGE}"
            page = self._call("GET", path)
            yield from page["undelivered"]
            start = page["next"]

    def send_again(self, ident: str, deliveries: list[int]) -> int:
        """Has messages sent again that were given up; all, if none is named."""
        body = {"deliveries": deliveries} if deliveries else {}
        return int(
            self._call("POST", f"/maintenance/{_part(ident)}/undelivered", body)["sent_again"]
        )

    def subscribe(self, body: Json) -> Json:
        """Has messages posted to a URL."""
        return self._call("POST", "/subscription", body)

    def engines(self) -> Json:
        """The engines with their sessions, and the sessions that none has."""
        return self._call("GET", "/engine")

    def subscriptions(self, project_id: str | None) -> list[Json]:
        """A project's subscriptions, or all that may be seen."""
        query = f"?project_id={_part(project_id)}" if project_id else ""
        found: list[Json] = self._call("GET", f"/subscription{query}")["subscriptions"]
        return found

    def subscription(self, ident: str) -> Json:
        """One subscription."""
        return self._call("GET", f"/subscription/{_part(ident)}")

    def replace_secret(self, ident: str, body: Json) -> Json:
        """Gives a subscription another secret."""
        return self._call("POST", f"/subscription/{_part(ident)}/secret", body)

    def unsubscribe(self, ident: str) -> None:
        """Ends a subscription."""
        self._call("DELETE", f"/subscription/{_part(ident)}")

    def try_subscription(self, ident: str) -> Json:
        """Has a test message posted, and says what became of it."""
        return self._call("POST", f"/subscription/{_part(ident)}/test")

    def _call(self, method: str, path: str, body: Any = None) -> Json:
        status, text = self._transport(method, path, body)
        try:
            answer = httpx.Response(status, text=text).json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"what answers is not Fenix: status {status}, {text[:100]!r}")
        if status >= 400:
            error = answer.get("error")
            said = error.get("message") if isinstance(error, dict) else None
            message = str(said or f"status {status}: {text[:500]}")
            if status >= 500:
                raise Unreachable(message)
            raise ApiError(status, message)
        return answer


class PlainTransport:
    """Requests without any token.

    Args:
        timeout: seconds to wait for an answer.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._base = base_url(url)
        # A proxy has no business between two processes of one machine.
        limits = httpx.Timeout(timeout, connect=TIMEOUT)
        self._http = httpx.Client(timeout=limits, trust_env=not _is_local(url))

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, str]:
        """See `Transport`."""
        try:
            answer = self._http.request(method, self._base + path, json=body)
        except httpx.InvalidURL as error:
            raise CommandFailed(f"--url: {self._base!r} is not valid: {error}") from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"Fenix can't be reached at {self._base}: {reason}") from error
        return answer.status_code, answer.text

    def close(self) -> None:
        """See `Transport`."""
        self._http.close()


def connect(url: str | None, os_cloud: str | None, timeout: float = TIMEOUT) -> Client:
    """A client for the Fenix that the user means.

    Args:
        url: its endpoint.
        os_cloud: name in clouds.yaml of the account to ask with.
        timeout: seconds to wait for an answer.

    Raises:
        CommandFailed: the account is incomplete, or the catalog has no Fenix.
    """
    environment = "OS_CLOUD" in os.environ or "OS_AUTH_URL" in os.environ
    if os_cloud or (environment and not url):
        from fenix.cli.keystone import KeystoneTransport

        return Client(KeystoneTransport(os_cloud, url, timeout))
    return Client(PlainTransport(url or DEFAULT_URL, timeout))


def base_url(url: str) -> str:
    """An endpoint that ends in ``/v1``."""
    return f"{url.rstrip('/').removesuffix('/v1')}/v1"


def _is_local(url: str) -> bool:
    try:
        return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError as error:
        raise CommandFailed(f"--url: {url!r} is not valid: {error}") from error


def _part(ident: str) -> str:
    return quote(ident, safe="")
