"""Nova: quick to notice what happens, so that tests need not wait.

Heartbeats and the time after which a silent host counts as down are far below Nova's defaults,
hosts are never overcommitted, and quotas are out of the way.
"""

import shutil

from devcloud import ini
from devcloud.configuration.common import credentials, database, logging, token_validation
from devcloud.settings import Settings

_FILTERS = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "AggregateInstanceExtraSpecsFilter",
    "AggregateMultiTenancyIsolation",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
)
_TIMING: ini.Section = {
    "report_interval": 3,
    "service_down_time": 12,
    "periodic_fuzzy_delay": 0,
    "rpc_response_timeout": 30,
    "update_resources_interval": 0,
    "sync_power_state_interval": -1,
    "heal_instance_info_cache_interval": -1,
    "shelved_poll_interval": -1,
}
_CAPACITY: ini.Section = {
    "reserved_host_memory_mb": 0,
    "reserved_host_disk_mb": 0,
    "reserved_host_cpus": 0,
    "initial_cpu_allocation_ratio": "1.0",
    "initial_ram_allocation_ratio": "1.0",
    "initial_disk_allocation_ratio": "1.0",
}


def write(settings: Settings) -> None:
    state = settings.run / "nova"
    (state / "lock").mkdir(parents=True, exist_ok=True)
    folder = settings.etc / "nova"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(settings.venv / "etc/nova/api-paste.ini", folder)
    ini.write(
        folder / "nova.conf",
        {
            "DEFAULT": {
                "use_stderr": False,
                "my_ip": "127.0.0.1",
                "host": "controller",
                "state_path": state,
                "transport_url": settings.transport_url,
                "compute_driver": "devfake.DevFakeDriver",
                "allow_resize_to_same_host": False,
                "vif_plugging_is_fatal": False,
                "vif_plugging_timeout": 0,
                "max_concurrent_live_migrations": 4,
                **_TIMING,
                **_CAPACITY,
            },
            "api": {"auth_strategy": "keystone"},
            "compute": {
                "live_migration_wait_for_vif_plug": False,
                "resource_provider_association_refresh": 300,
            },
            "conductor": {"workers": 1},
            # A new compute is mapped to the cell within a second, without nova-manage.
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 1},
            "filter_scheduler": {"enabled_filters": ",".join(_FILTERS)},
            "quota": {
                "instances": 500,
                "cores": 2000,
                "ram": -1,
                "server_groups": 100,
                "server_group_members": 100,
            },
            "notifications": {
                "notification_format": "both",
                "notify_on_state_change": "vm_and_task_state",
            },
            "oslo_messaging_notifications": {"driver": "messagingv2"},
            "oslo_messaging_rabbit": {"rabbit_quorum_queue": False, "heartbeat_in_pthread": False},
            "oslo_concurrency": {"lock_path": state / "lock"},
            "vnc": {"enabled": False},
            "placement": {**credentials(settings, "placement"), "valid_interfaces": "public"},
            "neutron": _peer(settings, "neutron"),
            "glance": _peer(settings, "glance"),
            "service_user": {**credentials(settings, "nova"), "send_service_user_token": True},
            "keystone_authtoken": token_validation(settings, "nova", "compute"),
        },
    )
    ini.write(folder / "nova-api.conf", {"DEFAULT": logging(settings, "nova-api")})
    # A file of its own, because the computes must not have the databases.
    ini.write(
        folder / "nova-db.conf",
        {
            "database": database(settings, "nova_cell1"),
            "api_database": database(settings, "nova_api"),
        },
    )


def write_compute(settings: Settings, host: str) -> None:
    """What one nova-compute has for itself."""
    state = settings.compute_state(host)
    state.mkdir(parents=True, exist_ok=True)
    ini.write(
        settings.etc / "nova" / f"{host}.conf",
        {
            "DEFAULT": {
                **logging(settings, f"nova-{host}"),
                "host": host,
                "state_path": state,
            },
            "oslo_concurrency": {"lock_path": state / "lock"},
        },
    )


def _peer(settings: Settings, service: str) -> ini.Section:
    return {
        **credentials(settings, service),
        "valid_interfaces": "public",
        "endpoint_override": settings.endpoint(service),
    }
