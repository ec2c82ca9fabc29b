"""Requests with a token of Keystone's; the catalog says where Fenix is."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openstack.config
from keystoneauth1 import exceptions
from openstack.exceptions import SDKException

from fenix.cli.client import TIMEOUT, Unreachable, base_url
from fenix.cli.errors import CommandFailed

SERVICE_TYPE = "maintenance"


class KeystoneTransport:
    """Requests with the account of openstacksdk's configuration.

    Args:
        os_cloud: name in clouds.yaml; None: the environment's.
        url: Fenix's endpoint; None: the one in the catalog.
        timeout: seconds to wait for an answer.

    Raises:
        CommandFailed: the account is incomplete or not valid, or the catalog has no Fenix.
        Unreachable: Keystone does not answer.
    """

    def __init__(self, os_cloud: str | None, url: str | None, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        with _explained():
            region = _account(os_cloud)
            self._session: Any = region.get_session()
            found = url or self._session.get_endpoint(
                service_type=SERVICE_TYPE,
                interface=region.get_interface(SERVICE_TYPE),
                region_name=region.get_region_name(SERVICE_TYPE),
            )
        if not found:
            raise CommandFailed(f"the catalog has no endpoint of service type {SERVICE_TYPE}")
        self._base = base_url(found)

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, str]:
        """See `fenix.cli.client.Transport`."""
        with _explained():
            answer = self._session.request(
                self._base + path, method, json=body, raise_exc=False, timeout=self._timeout
            )
        return answer.status_code, answer.text

    def close(self) -> None:
        """See `fenix.cli.client.Transport`."""
        self._session.session.close()


def _account(os_cloud: str | None) -> Any:
    with warnings.catch_warnings():
        # openstacksdk warns of it to everybody, whether InfluxDB is in clouds.yaml or not.
        warnings.filterwarnings("ignore", "Support for InfluxDB")
        return openstack.config.OpenStackConfig().get_one(cloud=os_cloud)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except exceptions.ConnectFailure as error:
        raise Unreachable(str(error)) from error
    except (SDKException, exceptions.ClientException) as error:
        raise CommandFailed(str(error)) from error
