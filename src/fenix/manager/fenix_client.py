"""Fenix's project API, as far as a manager needs it (wire contract, "Project API")."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from fenix.manager.errors import Refused, Unavailable
from fenix.manager.identity import Identity
from fenix.manager.notice import EVENT_TYPE

_TRY_AGAIN = (401, 408, 425, 429)
"""Besides 5xx; after 401 with a new token."""


class FenixClient:
    """Makes single attempts; see `fenix.manager.backoff` for more than one.

    All methods raise `Unavailable` or `Refused`.

    Args:
        url: Fenix's endpoint, with or without ``/v1``.
        ca_file: certificates to trust besides the system's.
        timeout: seconds that an answer may take.
    """

    def __init__(
        self, url: str, identity: Identity, ca_file: str | None = None, timeout: float = 30.0
    ) -> None:
        self._base = f"{url.rstrip('/').removesuffix('/v1')}/v1"
        self._identity = identity
        self._renew = False
        context = ssl.create_default_context()
        if ca_file:
            context.load_verify_locations(ca_file)
        self._http = httpx.AsyncClient(timeout=timeout, verify=context)

    def ours(self, url: str) -> str:
        """The same place on the Fenix that we were configured with.

        Messages come from anyone who can reach us. A URL in one must not make us send our token
        somewhere else, so that only its path counts.

        Raises:
            Refused: it has no ``/v1/`` in it.
        """
        _, version, path = urlsplit(url).path.partition("/v1/")
        if not version:
            raise Refused(f"{url!r} is no URL of Fenix's API")
        return f"{self._base}/{path}"

    async def instance_ids(self, url: str) -> Sequence[str]:
        """The ids behind the URL of a message: those that it concerns."""
        return [str(ident) for ident in (await self._call("GET", self.ours(url)))["instance_ids"]]

    async def reply(self, url: str, reply: Mapping[str, Any]) -> None:
        """Answers a message."""
        await self._call("PUT", self.ours(url), reply)

    async def subscribe(self, callback: str, body_format: str, secret: str = "") -> str:
        """Asks for our project's messages; returns the subscription's id.

        Args:
            secret: what they are to be signed with; empty: whatever Fenix signs them with.
        """
        wanted: dict[str, Any] = {
            "url": callback,
            "format": body_format,
            "event_types": [EVENT_TYPE],
        }
        if secret:
            wanted["secret"] = secret
        answer = await self._call("POST", f"{self._base}/subscription", wanted)
        return str(answer["id"])

    async def unsubscribe(self, ident: str) -> None:
        """Ends a subscription; no error where there is none."""
        url = f"{self._base}/subscription/{quote(ident, safe='')}"
        await self._call("DELETE", url, missing_ok=True)

    async def put_constraints(self, kind: str, ident: str, body: Mapping[str, Any]) -> None:
        """Sets constraints.

        Args:
            kind: ``instance`` or ``instance_group``.
        """
        await self._call("PUT", f"{self._base}/{kind}/{quote(ident, safe='')}", body)

    async def delete_constraints(self, kind: str, ident: str) -> None:
        """Forgets constraints; `kind` as in `put_constraints`."""
        url = f"{self._base}/{kind}/{quote(ident, safe='')}"
        await self._call("DELETE", url, missing_ok=True)

    async def close(self) -> None:
        """Frees connections."""
        await self._http.aclose()

    async def _call(
        self, method: str, url: str, body: Any = None, missing_ok: bool = False
    ) -> dict[str, Any]:
        headers = await asyncio.to_thread(self._identity.headers, self._renew)
        try:
            answer = await self._http.request(method, url, json=body, headers=headers)
        except httpx.TransportError as error:
            raise Unavailable(f"{method} {url}: {error or type(error).__name__}") from error
        self._renew = answer.status_code == 401
        text = f"{method} {url}: {answer.status_code} {answer.text[:500]}"
        if answer.is_server_error or answer.status_code in _TRY_AGAIN:
            raise Unavailable(text)
        if answer.is_error and not (missing_ok and answer.status_code == 404):
            raise Refused(text)
        try:
            found = answer.json()
        except ValueError as error:
            raise Unavailable(text) from error
        return found if isinstance(found, dict) else {}
