"""Who calls: the caller, and the strategy that needs no Keystone."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fenix.api.schemas.fields import ID_PATTERN
from fenix.domain import FenixError, Forbidden, InvalidField, Unauthorized

ACT_AS = "x-project-id"
"""Header by which a caller without a token acts as a member of a project."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has been identified.

    Attributes:
        project_id: the project of the token; None: a token for the system or a domain.
        domain_id: the domain of a token for a domain.
        system: the token is for the whole system.
        is_admin_project: Keystone counts the project as the administrators'; as it does with
            every project when it has not been told which one is.
        trusted: may do everything; there is no Keystone.
        elsewhere: the policies that let the caller pass in this call to what is another project's,
            with that project; for the audit.
    """

    user_id: str | None = None
    project_id: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    system: bool = False
    domain_id: str | None = None
    is_admin_project: bool = True
    trusted: bool = False
    elsewhere: list[tuple[str, str]] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        """How the timeline calls the caller."""
        return f"user {self.user_id}" if self.user_id else "api"


class NoValidToken(Unauthorized):
    """There is no token, or it is not valid.

    Args:
        challenge: value of the header ``WWW-Authenticate``: where to get one.
    """

    def __init__(self, challenge: str) -> None:
        super().__init__("A valid token is needed in the header X-Auth-Token.")
        self.challenge = challenge


class AuthenticationUnavailable(FenixError):
    """Tokens can't be checked now."""

    code = 503
    title = "Service unavailable"


class UnsafeListen(Exception):
    """The API would be open to a network without any check of who calls."""


class Authenticator(Protocol):
    """Finds out who calls."""

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """The caller.

        Args:
            headers: of the request, names in lower case.

        Raises:
            NoValidToken: nobody that is known.
            AuthenticationUnavailable: it can't be found out now.
        """
        ...

    def close(self) -> None:
        """Frees what it holds."""
        ...


class NoAuthenticator:
    """Everybody is the administrator, or with the header X-Project-Id a member of that project.

    Tokens are ignored, so that clients that always send one work. For trials on one machine: see
    `check_listen`. A browser there may show pages from anywhere, which can have it call: what such
    a page sends names its origin, or, where its name was bound to this machine, a foreign host.
    """

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """See `Authenticator.authenticate`."""
        host = _host(headers.get("host", ""))
        if "origin" in headers or not _is_loopback(host):
            raise Forbidden("Without Keystone only programs on this machine may call.")
        project_id = headers.get(ACT_AS)
        if project_id:
            if not re.fullmatch(ID_PATTERN, project_id):
                raise InvalidField(ACT_AS, project_id, f"text like {ID_PATTERN}")
            return Caller(project_id=project_id, roles=frozenset({"member"}))
        return Caller(trusted=True)

    def close(self) -> None:
        """Holds nothing."""


def check_listen(host: str, strategy: str) -> None:
    """Refuses to serve a network while nobody checks who calls.

    Args:
        host: the address to listen on.
        strategy: option ``auth_strategy``.

    Raises:
        UnsafeListen: strategy ``none`` on an address that is not loopback.
    """
    if strategy == "none" and not _is_loopback(host):
        raise UnsafeListen(
            f"[api] host: {host!r} is not valid with auth_strategy = none, which lets everybody do "
            "everything; allowed: 127.0.0.1, ::1, localhost"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host(header: str) -> str:
    """The host without the port of a header Host (RFC 9110, 7.2)."""
    return re.sub(r":[0-9]*\Z", "", header)
