"""Neutron: the ML2 plugin without any agent; inside/neutron binds the ports."""

from devcloud import ini
from devcloud.configuration.common import (
    NO_NOTIFICATIONS,
    credentials,
    database,
    logging,
    token_validation,
)
from devcloud.settings import Settings

_RESOURCES = (
    "network",
    "subnet",
    "port",
    "router",
    "floatingip",
    "security_group",
    "security_group_rule",
)


def write(settings: Settings) -> None:
    state = settings.run / "neutron"
    (state / "lock").mkdir(parents=True, exist_ok=True)
    folder = settings.etc / "neutron"
    ini.write(
        folder / "neutron.conf",
        {
            "DEFAULT": {
                **logging(settings, "neutron"),
                "state_path": state,
                "transport_url": settings.transport_url,
                "core_plugin": "ml2",
                "service_plugins": "router",
                "api_paste_config": settings.venv / "etc/neutron/api-paste.ini",
                "auth_strategy": "keystone",
                "notify_nova_on_port_status_changes": False,
                "notify_nova_on_port_data_changes": True,
                "dhcp_agent_notification": False,
            },
            "database": database(settings, "neutron"),
            "oslo_concurrency": {"lock_path": state / "lock"},
            "oslo_messaging_notifications": NO_NOTIFICATIONS,
            "quotas": {f"quota_{resource}": -1 for resource in _RESOURCES},
            "nova": credentials(settings, "nova"),
            "keystone_authtoken": token_validation(settings, "neutron", "network"),
        },
    )
    ini.write(
        folder / "ml2_conf.ini",
        {
            "ml2": {
                "type_drivers": "local,flat",
                "tenant_network_types": "local",
                "mechanism_drivers": "bind_anywhere",
                "extension_drivers": "",
            },
            "ml2_type_flat": {"flat_networks": "*"},
            "securitygroup": {"enable_security_group": True},
        },
    )
