"""The five HTTP APIs: one process each, under waitress (see inside/wsgi_serve.py)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from devcloud.console import DevcloudError
from devcloud.processes import Processes
from devcloud.settings import INSIDE, Settings


@dataclass(frozen=True)
class Api:
    """How one API is served; the folder of its configuration goes into `folder_variable`."""

    module: str
    folder_variable: str
    threads: int = 8
    environment: Mapping[str, str] = field(default_factory=dict)


APIS: Mapping[str, Api] = {
    "keystone": Api("keystone.wsgi.api", "OS_KEYSTONE_CONFIG_DIR"),
    "placement": Api("placement.wsgi.api", "OS_PLACEMENT_CONFIG_DIR"),
    "glance": Api("glance.wsgi.api", "OS_GLANCE_CONFIG_DIR", threads=4),
    "nova": Api(
        "nova.wsgi.osapi_compute",
        "OS_NOVA_CONFIG_DIR",
        environment={"OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf;nova-db.conf;nova-api.conf"},
    ),
    "neutron": Api(
        "neutron.wsgi.api",
        "OS_NEUTRON_CONFIG_DIR",
        environment={
            "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2_conf.ini",
            "PYTHONPATH": str(INSIDE / "neutron"),
        },
    ),
}


def service_name(api: str) -> str:
    return f"{api}-api"


def start(settings: Settings, processes: Processes, name: str) -> None:
    """Start one API.

    Raises:
        DevcloudError: there is no API of that name.
    """
    if name not in APIS:
        raise DevcloudError(f"no API {name!r}: choose from {', '.join(APIS)}")
    api = APIS[name]
    processes.spawn(
        service_name(name),
        [
            settings.venv / "bin/python",
            INSIDE / "wsgi_serve.py",
            api.module,
            getattr(settings.ports, name),
            api.threads,
        ],
        {api.folder_variable: str(settings.etc / name), **api.environment},
    )


def wait(settings: Settings, processes: Processes, name: str) -> None:
    processes.wait_port(service_name(name), getattr(settings.ports, name))
