"""Strategy ``keystone``: keystonemiddleware checks the tokens, behind a thin bridge.

Its WSGI filter blocks, so it runs in threads of its own. The request that it gets has only the
token; an inner application catches the identity that the filter adds.

Without memcached the filter would keep a memory without bounds for each thread, and call that
deprecated; it gets one that all threads share instead.
"""

import asyncio
import logging
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from threading import Lock
from typing import Any

from cachetools import TTLCache
from oslo_config import cfg

from fenix.api.auth import AuthenticationUnavailable, Caller, NoValidToken
from fenix.threads import Threads

with warnings.catch_warnings():
    # WebOb, which keystonemiddleware is built on, still imports it on Python before 3.13.
    warnings.filterwarnings("ignore", "'cgi' is deprecated", DeprecationWarning)
    from keystonemiddleware import auth_token

log = logging.getLogger(__name__)

THREADS = 16
LONGEST_TOKEN = 8192
TOKENS_KEPT = 5000
"""Checked tokens in this process's memory: some 3 KB each."""

_FOUND = "fenix.caller"
_MEMORY = "fenix.tokens"
Start = Callable[..., Any]


class Memory:
    """Remembers checked tokens, in the form of a memcached client; threads may share it.

    Args:
        seconds: how long; no more than none: not at all.
    """

    def __init__(self, seconds: int) -> None:
        self._kept: TTLCache[str, bytes] = TTLCache(TOKENS_KEPT, max(seconds, 0))
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """What was kept under a key, if it still is."""
        with self._lock:
            return self._kept.get(key)

    def set(self, key: str, value: bytes, time: int = 0) -> None:
        """Keeps something."""
        with self._lock:
            self._kept[key] = value


class KeystoneAuthenticator:
    """Finds out who calls by the token in X-Auth-Token; caches as ``[keystone_authtoken]`` says.

    Args:
        conf: with ``[keystone_authtoken]``; what it says about `delay_auth_decision` is ignored.
        limit: seconds that a check may take.
    """

    def __init__(self, conf: cfg.ConfigOpts, limit: float) -> None:
        self._limit = limit
        self._threads = Threads(THREADS, thread_name_prefix="keystone")
        for group, opts in auth_token.list_opts():
            conf.register_opts(opts, group=group)
            # By itself it has no limit, and a thread that hangs would keep the process from ending.
            conf.set_default("http_connect_timeout", math.ceil(limit), group=group)
        self._filter = auth_token.AuthProtocol(
            _catch,
            {"oslo_config_config": conf, "delay_auth_decision": False, "cache": _MEMORY},
        )
        group = conf.keystone_authtoken
        # Without it in the request, the filter uses memcached.
        self._memory = {} if group.memcached_servers else {_MEMORY: Memory(group.token_cache_time)}

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """See `Authenticator.authenticate`."""
        token = headers.get("x-auth-token", "")
        if not token.isascii() or not token.isprintable() or len(token) > LONGEST_TOKEN:
            token = ""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit):
                return await loop.run_in_executor(self._threads, self._check, token)
        except TimeoutError:
            raise AuthenticationUnavailable(
                f"Keystone did not check the token within {self._limit:g} s."
            ) from None

    def close(self) -> None:
        """Ends the threads; a check that hangs is not awaited."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, token: str) -> Caller:
        environ = _environ(token) | self._memory
        answer: dict[str, Any] = {}

        def start(status: str, headers: Iterable[tuple[str, str]], *_: object) -> None:
            answer.update(status=status, headers=dict(headers))

        try:
            body = self._filter(environ, start)
            for _ in body:
                pass
        except Exception as error:  # it lets through what its HTTP client raises
            log.warning("the token could not be checked: %s: %s", type(error).__name__, error)
            raise AuthenticationUnavailable("The token could not be checked.") from error
        if _FOUND in environ:
            found: Caller = environ[_FOUND]
            return found
        if answer["status"].startswith("401"):
            raise NoValidToken(answer["headers"].get("WWW-Authenticate", "Keystone"))
        log.warning("the token could not be checked: %s", answer["status"])
        raise AuthenticationUnavailable("The token could not be checked.")


def _environ(token: str) -> dict[str, Any]:
    """A request with nothing but a token, as WSGI wants it (PEP 3333)."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "fenix",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | ({"HTTP_X_AUTH_TOKEN": token} if token else {})


def _catch(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """The application behind the filter: reached only with a valid token."""
    roles = environ.get("HTTP_X_ROLES", "").split(",")
    environ[_FOUND] = Caller(
        user_id=environ.get("HTTP_X_USER_ID"),
        project_id=environ.get("HTTP_X_PROJECT_ID"),
        roles=frozenset(role.strip() for role in roles if role.strip()),
        system=environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE") == "all",
        domain_id=environ.get("HTTP_X_DOMAIN_ID"),
        is_admin_project=environ.get("HTTP_X_IS_ADMIN_PROJECT") == "True",
    )
    start("200 OK", [])
    return []
