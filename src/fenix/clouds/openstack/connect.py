"""From the configuration to Nova's and Placement's APIs; asks the cloud nothing yet.

keystoneauth's session holds the token and renews it; openstacksdk reads clouds.yaml.
"""

from dataclasses import dataclass

import openstack.config
import openstack.exceptions
from keystoneauth1 import exceptions, loading
from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from oslo_config import cfg

import fenix
from fenix.clouds.base import CloudError
from fenix.clouds.openstack.api import Api, Calls
from fenix.clouds.openstack.options import GROUP

# 2.69 (Stein, 2019): instances and services of a cell that does not answer are named, not left
# out; without it their hosts would look empty. 2.96 tells an instance's pinned zone; what came
# later makes lists of servers longer and tells nothing that is needed here.
NOVA = (2, 69), (2, 96)

# 1.27 (Rocky, 2018): capacity and use of all resources of many providers in one answer. With
# 1.29 and later that answer would also hold each PCI device and GPU of each host.
PLACEMENT = (1, 27), (1, 27)


@dataclass(frozen=True, slots=True)
class Connection:
    """The APIs of one region, over one session."""

    compute: Api
    placement: Api
    session: Session

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self.session.session.close()


def connect(conf: cfg.ConfigOpts, calls: Calls) -> Connection:
    """The connection that group ``[openstack]`` describes.

    Raises:
        CloudError: the configuration is incomplete or contradicts itself.
    """
    group = conf[GROUP]
    if bool(group.cloud) == bool(group.auth_type or group.auth_section):
        raise CloudError(
            f"[{GROUP}]: set either auth_type (with the options of that plug-in) or cloud (a name "
            "in clouds.yaml)"
        )
    try:
        return _named(group, calls) if group.cloud else _given(conf, calls)
    except (exceptions.ClientException, openstack.exceptions.SDKException) as error:
        raise CloudError(f"[{GROUP}]: {error}") from error


def _given(conf: cfg.ConfigOpts, calls: Calls) -> Connection:
    group = conf[GROUP]
    session = loading.load_session_from_conf_options(
        conf,
        GROUP,
        auth=loading.load_auth_from_conf_options(conf, GROUP),
        app_name="fenix",
        app_version=fenix.__version__,
    )

    def adapter(service_type: str) -> Adapter:
        return Adapter(
            session,
            service_type=service_type,
            region_name=group.region_name,
            interface=group.interface or "public",
        )

    return _connection(session, adapter("compute"), adapter("placement"), calls)


def _named(group: cfg.ConfigOpts.GroupAttr, calls: Calls) -> Connection:
    wishes = {"region_name": group.region_name, "interface": group.interface}
    config = openstack.config.OpenStackConfig(app_name="fenix", app_version=fenix.__version__)
    region = config.get_one(
        cloud=group.cloud,
        api_timeout=group.timeout,
        **{name: value for name, value in wishes.items() if value},
    )
    session = region.get_session()

    def adapter(service_type: str) -> Adapter:
        return Adapter(
            session,
            service_type=region.get_service_type(service_type),
            service_name=region.get_service_name(service_type),
            region_name=region.get_region_name(service_type),
            interface=region.get_interface(service_type),
            endpoint_override=region.get_endpoint(service_type),
        )

    return _connection(session, adapter("compute"), adapter("placement"), calls)


def _connection(session: Session, compute: Adapter, placement: Adapter, calls: Calls) -> Connection:
    return Connection(
        compute=Api("Nova", compute, calls, *NOVA),
        placement=Api("Placement", placement, calls, *PLACEMENT),
        session=session,
    )
