"""Sections that more than one service has."""

from devcloud.ini import Section
from devcloud.settings import PASSWORD, REGION, Settings

NO_NOTIFICATIONS: Section = {"driver": "noop"}


def logging(settings: Settings, service: str) -> Section:
    return {"use_stderr": False, "log_file": settings.log / f"{service}.log"}


def database(settings: Settings, name: str) -> Section:
    return {
        "connection": settings.database_url(name),
        "max_pool_size": 10,
        "max_overflow": 20,
    }


def credentials(settings: Settings, user: str) -> Section:
    """How a service logs in to Keystone as its own user."""
    return {
        "auth_type": "password",
        "auth_url": settings.auth_url,
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


def token_validation(settings: Settings, user: str, service_type: str) -> Section:
    """The [keystone_authtoken] section: how an API checks the tokens of its callers."""
    return {
        **credentials(settings, user),
        "www_authenticate_uri": settings.auth_url,
        "service_token_roles": "service",
        "service_token_roles_required": True,
        "service_type": service_type,
    }
