"""Starts a manager from its settings."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import openstack
import openstack.connection
import uvicorn

from fenix.manager.app import create_app
from fenix.manager.fenix_client import FenixClient
from fenix.manager.identity import Identity, KeystoneIdentity, PlainIdentity
from fenix.manager.manager import AppManager
from fenix.manager.memory import Memory
from fenix.manager.openstack_tenant import OpenStackTenant
from fenix.manager.settings import ManagerSettings
from fenix.manager.simulated_tenant import SimulatedTenant
from fenix.manager.tenant_cloud import TenantCloud

__all__ = ["build", "create_app", "run"]


def run(settings: ManagerSettings) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        OSError: the address is in use, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # It listens before it subscribes: Fenix may send at once.
    with socket.create_server((settings.host, settings.port), family=family) as listener:
        config = uvicorn.Config(
            create_app(build(settings), settings.secret),
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
        # uvicorn raises the signal that stopped it once more when all is put away.
        with _ignored(signal.SIGTERM), suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _ignored(number: signal.Signals) -> Iterator[None]:
    """Has a signal do nothing while nobody else handles it."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def build(settings: ManagerSettings) -> AppManager:
    """Puts a manager together; asks nobody anything yet.

    Raises:
        openstack.exceptions.ConfigException: OpenStack's credentials are incomplete.
    """
    connection: openstack.connection.Connection | None = None
    if settings.cloud == "openstack" or settings.auth == "keystone":
        connection = openstack.connect(cloud=settings.os_cloud)
    identity: Identity = PlainIdentity(settings.project_id)
    if connection is not None and settings.auth == "keystone":
        identity = KeystoneIdentity(connection)
    cloud: TenantCloud
    if connection is not None and settings.cloud == "openstack":
        cloud = OpenStackTenant(connection, settings.cloud_timeout)
    else:
        cloud = SimulatedTenant(settings.cloud_url, settings.project_id, settings.cloud_timeout)
    fenix = FenixClient(settings.fenix_url, identity, settings.ca_file)
    return AppManager(settings, cloud, fenix, identity, Memory(settings.memory))
