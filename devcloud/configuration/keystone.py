"""Keystone: fernet tokens that last a day, cheap password hashes, a cache in the process."""

from devcloud import ini
from devcloud.configuration.common import NO_NOTIFICATIONS, database, logging
from devcloud.settings import Settings

KEY_FOLDERS = ("fernet-keys", "credential-keys")


def write(settings: Settings) -> None:
    folder = settings.etc / "keystone"
    ini.write(
        folder / "keystone.conf",
        {
            "DEFAULT": {
                **logging(settings, "keystone"),
                "transport_url": settings.transport_url,
            },
            "database": database(settings, "keystone"),
            "token": {"provider": "fernet", "expiration": 86400},
            "fernet_tokens": {"key_repository": folder / KEY_FOLDERS[0]},
            # Keystone looks for these at its start, though nothing here uses receipts.
            "fernet_receipts": {"key_repository": folder / KEY_FOLDERS[0]},
            "credential": {"key_repository": folder / KEY_FOLDERS[1]},
            "identity": {"password_hash_rounds": 4},
            "cache": {"enabled": True, "backend": "oslo_cache.dict"},
            "oslo_messaging_notifications": NO_NOTIFICATIONS,
        },
    )
