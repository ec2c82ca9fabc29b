"""The few calls to OpenStack that the driver itself makes, without OpenStack's libraries."""

import json
import urllib.error
import urllib.request
from typing import Any

from devcloud.console import DevcloudError
from devcloud.settings import PASSWORD, Settings

_MICROVERSIONS = {"nova": "compute 2.90", "placement": "placement 1.39"}
_GREETINGS = {
    "placement": "/resource_providers",
    "glance": "/v2/images?limit=1",
    "nova": "/v2.1/os-services",
    "neutron": "/v2.0/networks?limit=1",
}
# No proxy, whatever the environment says: everything is on 127.0.0.1.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiError(DevcloudError):
    """An API refused a call, or did not answer."""


class Administrator:
    """The cloud's administrator, logged in at the first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token: str | None = None

    def get(self, service: str, path: str) -> dict[str, Any]:
        """GET from ``nova`` or ``placement``; raises ApiError."""
        return self._call(service, path)

    def greet(self, service: str) -> None:
        """Make one call to an API, so that it has loaded its policies before others come.

        Keystone at least refuses calls with 403 that arrive while another thread loads them.
        Raises ApiError.
        """
        if service == "keystone":
            headers = {"X-Auth-Token": self._login(), "X-Subject-Token": self._login()}
            _send(f"{self._settings.auth_url}/auth/tokens", "GET", None, headers)
        else:
            self._call(service, _GREETINGS[service])

    def put(self, service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call(service, path, body, "PUT")

    def _call(
        self, service: str, path: str, body: dict[str, Any] | None = None, method: str = "GET"
    ) -> dict[str, Any]:
        headers = {"X-Auth-Token": self._login()}
        if service in _MICROVERSIONS:
            headers["OpenStack-API-Version"] = _MICROVERSIONS[service]
        url = self._settings.endpoint(service) + path
        content: dict[str, Any] = _send(url, method, body, headers)[1]
        return content

    def _login(self) -> str:
        if self._token is None:
            domain = {"id": "default"}
            user = {"name": "admin", "domain": domain, "password": PASSWORD}
            identity = {"methods": ["password"], "password": {"user": user}}
            scope = {"project": {"name": "admin", "domain": domain}}
            body = {"auth": {"identity": identity, "scope": scope}}
            headers, _ = _send(f"{self._settings.auth_url}/auth/tokens", "POST", body, {})
            self._token = headers["X-Subject-Token"]
        return self._token


def _send(
    url: str, method: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> tuple[Any, Any]:
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json", **headers},
    )
    try:
        with _opener.open(request, timeout=30) as response:
            return response.headers, json.loads(response.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            reason = f"{error.code} {error.read()[:300].decode(errors='replace')}"
    except OSError as error:
        reason = str(error)
    raise ApiError(f"{method} {url}: {reason}")
