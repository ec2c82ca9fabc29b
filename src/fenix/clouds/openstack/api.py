"""One service's HTTP API: requests counted, answers checked, lists read page by page.

Plain JSON on a keystoneauth adapter, not openstacksdk's resource objects: a driver that reads
tens of thousands of servers wants a dictionary for each and nothing else.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from keystoneauth1.adapter import Adapter

from fenix.clouds.base import CloudError, CloudUnavailable, may_act
from fenix.clouds.openstack.errors import failure, translated
from fenix.metrics import CLOUD_CALLS

Json = dict[str, Any]
Version = tuple[int, int]
Params = Mapping[str, str | int]


class Calls:
    """Counts requests by method and path pattern; threads may share it."""

    def __init__(self) -> None:
        self.counter: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: str) -> None:
        with self._lock:
            self.counter[kind] += 1


class Api:
    """The API of one service.

    Args:
        name: what error messages call it.
        lowest: the microversion that everything here needs.
        highest: the newest microversion that brings something that is used here.
    """

    def __init__(
        self, name: str, adapter: Adapter, calls: Calls, lowest: Version, highest: Version
    ) -> None:
        self._name = name
        self._adapter = adapter
        self._calls = calls
        self._lowest = lowest
        self._highest = highest

    @cached_property
    def version(self) -> Version:
        """The microversion in use: the highest that the service and this driver both know.

        Raises:
            CloudError: the service is too old or too new, or not in the catalog.
            CloudUnavailable: it does not tell its versions now.
        """
        with translated(f"{self._name} versions"):
            data = self._adapter.get_endpoint_data()
        if data is None:
            raise CloudError(f"{self._name}: Keystone's catalog has no endpoint for this region")
        if not data.max_microversion or not data.min_microversion:
            raise CloudUnavailable(f"{self._name}: no answer about its versions from {data.url}")
        lowest, highest = _version(data.min_microversion), _version(data.max_microversion)
        found = min(highest, self._highest)
        if found < self._lowest or found < lowest:
            raise CloudError(
                f"{self._name} at {data.url} supports microversions {_text(lowest)} to "
                f"{_text(highest)}; Fenix needs {_text(self._lowest)} to {_text(self._highest)}"
            )
        return found

    def get(self, path: str, params: Params | None = None, **ids: str) -> Json:
        """Reads; `path` is a pattern like ``/servers/{id}``, `ids` fill it."""
        return self._request("GET", path, ids, self.version, params=params)

    def post(self, path: str, body: Json, **ids: str) -> Json:
        return self._request("POST", path, ids, self.version, body=body)

    def put(self, path: str, body: Json, **ids: str) -> Json:
        return self._request("PUT", path, ids, self.version, body=body)

    def delete(self, path: str, **ids: str) -> Json:
        return self._request("DELETE", path, ids, self.version)

    def pages(
        self,
        path: str,
        key: str,
        params: Params | None = None,
        *,
        ident: str = "id",
        newest: Version | None = None,
    ) -> Iterator[Json]:
        """The items of a list that Nova gives page by page, as many a page as Nova likes.

        Args:
            key: the list's name in the answer; ``<key>_links`` says whether there is more.
            ident: the items' field that marks where the next page begins.
            newest: use no newer microversion, because it costs more or tells less.
        """
        version = min(self.version, newest) if newest else self.version
        query = dict(params or {})
        while True:
            answer = self._request("GET", path, {}, version, params=query)
            items: list[Json] = answer[key]
            yield from items
            links = answer.get(f"{key}_links", ())
            if not items or not any(link.get("rel") == "next" for link in links):
                return
            query["marker"] = items[-1][ident]

    def _request(
        self,
        method: str,
        path: str,
        ids: Mapping[str, str],
        version: Version,
        *,
        params: Params | None = None,
        body: Json | None = None,
    ) -> Json:
        self._calls.add(f"{method} {path}")
        began, outcome = time.monotonic(), "ok"
        try:
            return self._ask(method, path, ids, version, params, body)
        except CloudUnavailable:
            outcome = "unavailable"
            raise
        except CloudError:
            outcome = "refused"
            raise
        finally:
            spent = time.monotonic() - began
            CLOUD_CALLS.labels(self._name, f"{method} {path}", outcome).observe(spent)

    def _ask(
        self,
        method: str,
        path: str,
        ids: Mapping[str, str],
        version: Version,
        params: Params | None,
        body: Json | None,
    ) -> Json:
        url = path.format(**{name: quote(value, safe="") for name, value in ids.items()})
        request = f"{method} {url}"
        for _ in range(2):
            if method != "GET" and not may_act.get()():
                raise CloudUnavailable(
                    f"{request}: not sent, since the session's lease is in doubt"
                )
            with translated(request):
                answer = self._adapter.request(
                    url,
                    method,
                    params=dict(params or {}),
                    json=body,
                    microversion=_text(version),
                    raise_exc=False,
                    # A connection that was closed while idle looks like a failure to connect. What
                    # only reads may be sent again; what acts may have been carried out already.
                    connect_retries=1 if method == "GET" else 0,
                )
            # keystoneauth renews a token that has ended, but not for a thread that is refused
            # while another one is renewing it. Nothing was carried out.
            if answer.status_code != HTTPStatus.UNAUTHORIZED:
                break
        if answer.status_code >= 300:
            raise failure(request, answer.status_code, answer.text)
        if not answer.content:
            return {}
        try:
            found = answer.json()
        except ValueError:
            raise CloudUnavailable(f"{request}: {answer.status_code}, but not JSON") from None
        if not isinstance(found, dict):
            raise CloudUnavailable(f"{request}: {answer.status_code}, but not a JSON object")
        return found


def _version(parts: Sequence[float]) -> Version:
    return int(parts[0]), int(parts[1])


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
