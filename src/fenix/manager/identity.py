"""How Fenix knows which project calls: by a token, or without Keystone by its word."""

from typing import Protocol

import openstack.connection

from fenix.manager.openstack_errors import translated


class Identity(Protocol):
    """Says who we are; methods block."""

    def project_id(self) -> str:
        """The id of our project."""
        ...

    def headers(self, renew: bool = False) -> dict[str, str]:
        """What to add to a request.

        Args:
            renew: the last one was not accepted.
        """
        ...


class PlainIdentity:
    """For a Fenix that runs without authentication."""

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id

    def project_id(self) -> str:
        """See `Identity.project_id`."""
        return self._project_id

    def headers(self, renew: bool = False) -> dict[str, str]:
        """See `Identity.headers`."""
        return {"X-Project-Id": self._project_id}


class KeystoneIdentity:
    """Tokens of the session of openstacksdk, which gets a new one before the old one expires."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._session = connection.session

    def project_id(self) -> str:
        """See `Identity.project_id`."""
        with translated():
            return str(self._session.get_project_id())

    def headers(self, renew: bool = False) -> dict[str, str]:
        """See `Identity.headers`."""
        with translated():
            if renew:
                self._session.invalidate()
            return {"X-Auth-Token": str(self._session.get_token())}
