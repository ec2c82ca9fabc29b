"""From an empty database server to a cloud that only lacks its hosts: half a minute of set-up.

It is done once, for the golden image (see devcloud.golden).
"""

import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from devcloud import apis, catalog, databases
from devcloud.commands import run
from devcloud.configuration import clients
from devcloud.configuration.keystone import KEY_FOLDERS
from devcloud.processes import Processes
from devcloud.settings import INSIDE, PASSWORD, REGION, Settings


def create_schemas(settings: Settings, processes: Processes) -> None:
    """Databases and their tables, Keystone's first user, the catalog. Leaves Keystone running."""
    databases.create(settings, databases.DATABASES)
    steps: list[Callable[[], None]] = [
        lambda: _nova(settings),
        lambda: _keystone(settings, processes),
        lambda: _neutron(settings),
        lambda: _glance(settings),
        lambda: _placement(settings),
    ]
    with ThreadPoolExecutor(2) as pool:  # each keeps one core busy, mostly with imports
        for step in [pool.submit(step) for step in steps]:
            step.result()


def create_base_data(settings: Settings) -> None:
    """What every test needs: an image and flavors."""
    run(
        [settings.venv / "bin/python", INSIDE / "base_data.py"],
        log=settings.log / "setup.log",
        extra=clients.environment(settings),
    )


def _keystone(settings: Settings, processes: Processes) -> None:
    folder = settings.etc / "keystone"
    program = [settings.venv / "bin/keystone-manage", "--config-dir", folder]
    log = settings.log / "setup.log"
    run([*program, "db_sync"], log=log)
    for name in KEY_FOLDERS:
        # What `keystone-manage fernet_setup` and `credential_setup` do in 3 s of imports.
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in ("0", "1"):
            (folder / name / key).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
            (folder / name / key).chmod(0o600)
    url = settings.auth_url
    run(
        [
            *program,
            "bootstrap",
            f"--bootstrap-password={PASSWORD}",
            f"--bootstrap-region-id={REGION}",
            *(
                f"--bootstrap-{interface}-url={url}"
                for interface in ("admin", "public", "internal")
            ),
        ],
        log=log,
    )
    apis.start(settings, processes, "keystone")
    apis.wait(settings, processes, "keystone")
    catalog.register(
        settings,
        {
            "placement": ("placement", settings.endpoint("placement")),
            "image": ("glance", settings.endpoint("glance")),
            "compute": ("nova", settings.endpoint("nova") + "/v2.1"),
            "network": ("neutron", settings.endpoint("neutron")),
        },
    )


def _manage(settings: Settings, program: str, *arguments: str) -> None:
    run([settings.venv / "bin" / program, *arguments], log=settings.log / "setup.log")


def _neutron(settings: Settings) -> None:
    folder = settings.etc / "neutron"
    files = [f"--config-file={folder / name}" for name in ("neutron.conf", "ml2_conf.ini")]
    _manage(settings, "neutron-db-manage", *files, "upgrade", "head")


def _glance(settings: Settings) -> None:
    file = settings.etc / "glance/glance-api.conf"
    _manage(settings, "glance-manage", f"--config-file={file}", "db_sync")


def _placement(settings: Settings) -> None:
    file = settings.etc / "placement/placement.conf"
    _manage(settings, "placement-manage", f"--config-file={file}", "db", "sync")


def _nova(settings: Settings) -> None:
    folder = settings.etc / "nova"
    run(
        [
            settings.venv / "bin/python",
            INSIDE / "nova_setup.py",
            folder / "nova.conf",
            folder / "nova-db.conf",
            settings.database_url("nova_cell0"),
            settings.database_url("nova_cell1"),
            settings.transport_url,
        ],
        log=settings.log / "setup.log",
    )
