"""Tells which failures of openstacksdk and keystoneauth are worth another try."""

from collections.abc import Iterator
from contextlib import contextmanager

from keystoneauth1 import exceptions as keystone
from openstack import exceptions as sdk

from fenix.manager.errors import Refused, Unavailable

_TRY_AGAIN = (408, 409, 429)
"""Besides 5xx; Nova answers 409 while it is busy with an instance."""

_NOT_NOW = (
    keystone.RetriableConnectionFailure,
    keystone.UnknownConnectionError,
    keystone.DiscoveryFailure,
    keystone.HttpServerError,
    keystone.RequestTimeout,
    keystone.TooManyRequests,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turns their errors into ours.

    Raises:
        Unavailable: the service did not answer, or not now.
        Refused: everything else.
    """
    try:
        yield
    except sdk.HttpException as error:
        status = error.status_code or 503
        kind = Unavailable if status >= 500 or status in _TRY_AGAIN else Refused
        raise kind(str(error)) from error
    except _NOT_NOW as error:
        raise Unavailable(str(error)) from error
    except (sdk.SDKException, keystone.ClientException) as error:
        raise Refused(str(error)) from error
