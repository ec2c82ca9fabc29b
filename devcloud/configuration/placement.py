"""Placement: nothing but its database and Keystone."""

from devcloud import ini
from devcloud.configuration.common import database, logging, token_validation
from devcloud.settings import Settings


def write(settings: Settings) -> None:
    ini.write(
        settings.etc / "placement" / "placement.conf",
        {
            "DEFAULT": logging(settings, "placement"),
            "api": {"auth_strategy": "keystone"},
            "placement_database": database(settings, "placement"),
            "keystone_authtoken": token_validation(settings, "placement", "placement"),
        },
    )
