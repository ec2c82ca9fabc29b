"""Glance: images in a folder; the fake hypervisors never fetch one."""

from devcloud import ini
from devcloud.configuration.common import (
    NO_NOTIFICATIONS,
    database,
    logging,
    token_validation,
)
from devcloud.settings import Settings


def write(settings: Settings) -> None:
    store = settings.run / "glance"
    for name in ("images", "staging", "tasks"):
        (store / name).mkdir(parents=True, exist_ok=True)
    ini.write(
        settings.etc / "glance" / "glance-api.conf",
        {
            "DEFAULT": {
                **logging(settings, "glance"),
                "transport_url": settings.transport_url,
                "enabled_backends": "files:file",
                "enabled_import_methods": "[]",
                "node_staging_uri": f"file://{store}/staging",
                "worker_self_reference_url": settings.endpoint("glance"),
            },
            "database": database(settings, "glance"),
            "glance_store": {"default_backend": "files"},
            "files": {"filesystem_store_datadir": store / "images"},
            "os_glance_staging_store": {"filesystem_store_datadir": store / "staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": store / "tasks"},
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": settings.venv / "etc/glance/glance-api-paste.ini",
            },
            "oslo_messaging_notifications": NO_NOTIFICATIONS,
            "keystone_authtoken": token_validation(settings, "glance", "image"),
        },
    )
