"""The configuration files of all services, written anew at each start."""

from devcloud.configuration import clients, glance, keystone, neutron, nova, placement
from devcloud.settings import Settings

__all__ = ["write_all"]


def write_all(settings: Settings) -> None:
    """Write every file but those of the single computes (see devcloud.nova)."""
    for part in (keystone, placement, glance, neutron, nova, clients):
        part.write(settings)
