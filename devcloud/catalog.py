"""Services in Keystone's catalog, each with its user in the project `service`.

Used for OpenStack's own services when the golden image is built, and by tests that register a
service of theirs, such as Fenix with the type `maintenance`.
"""

import json
from collections.abc import Mapping

from devcloud.commands import run
from devcloud.settings import INSIDE, PASSWORD, REGION, Settings


def register(settings: Settings, services: Mapping[str, tuple[str, str]]) -> None:
    """Make users with the roles admin and service, services, and endpoints; keep what is there.

    An endpoint of another URL is changed.

    Args:
        services: by type, such as ``compute``: the name of the service and its user (whose
            password is PASSWORD), and the URL.
    """
    _run(settings, "register", json.dumps(services))


def unregister(settings: Settings, service_type: str, user: str) -> None:
    """Forget a service, its endpoints and its user; nothing if they are not there."""
    _run(settings, "unregister", service_type, user)


def _run(settings: Settings, *arguments: str) -> None:
    run(
        [
            settings.venv / "bin/python",
            INSIDE / "catalog.py",
            settings.auth_url,
            PASSWORD,
            REGION,
            *arguments,
        ],
        log=settings.log / "setup.log",
    )
