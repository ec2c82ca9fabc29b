"""The driver for OpenStack: Nova moves instances and keeps hosts, Placement counts room.

Needs Nova of Stein (microversion 2.69, 2019) or newer and Placement of Rocky (1.27, 2018) or
newer; both are checked at first use. The account must be an administrator of Nova: lists across
projects, hosts of instances, services, migrations, server groups of all projects.
"""

from oslo_config import cfg

from fenix.clouds.openstack.api import Calls
from fenix.clouds.openstack.cloud import OpenStackCloud
from fenix.clouds.openstack.connect import connect
from fenix.clouds.openstack.options import GROUP, list_opts, register

__all__ = ["GROUP", "OpenStackCloud", "create", "list_opts"]


def create(conf: cfg.ConfigOpts) -> OpenStackCloud:
    """The cloud that group ``[openstack]`` of the configuration describes; asks it nothing yet.

    Raises:
        CloudError: the configuration is incomplete or contradicts itself.
    """
    register(conf)
    calls = Calls()
    group = conf[GROUP]
    return OpenStackCloud(
        connect(conf, calls), calls, poll_interval=group.poll_interval, workers=group.workers
    )
