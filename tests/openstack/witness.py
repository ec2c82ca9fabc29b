"""What Nova and Placement say of one host at one moment; also run by Fenix as an action."""

import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from devcloud.settings import PASSWORD
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import V3Password
from keystoneauth1.session import Session

from tests.openstack.lab import utcnow

Json = dict[str, Any]

SCRIPT = """#!{python} -P
import sys
sys.path.insert(0, {root!r})
from tests.openstack.witness import main
main({auth_url!r}, {folder!r})
"""


def administrator(auth_url: str) -> Session:
    """A session of its own, as threads and processes need."""
    return Session(
        V3Password(
            auth_url=auth_url,
            username="admin",
            password=PASSWORD,
            project_name="admin",
            user_domain_name="Default",
            project_domain_name="Default",
        )
    )


def look(session: Session, host: str) -> Json:
    """The host's servers, consumers of its resources, and its service."""
    compute = Adapter(session, "compute", default_microversion="2.96")
    placement = Adapter(session, "placement", default_microversion="1.30")
    servers = compute.get("/servers", params={"all_tenants": "1", "host": host}).json()["servers"]
    [service] = compute.get("/os-services", params={"host": host, "binary": "nova-compute"}).json()[
        "services"
    ]
    [provider] = placement.get("/resource_providers", params={"name": host}).json()[
        "resource_providers"
    ]
    held = placement.get(f"/resource_providers/{provider['uuid']}/allocations").json()
    return {
        "at": utcnow().isoformat(),
        "host": host,
        "servers": [server["id"] for server in servers],
        "consumers": sorted(held["allocations"]),
        "status": service["status"],
        "disabled_reason": service["disabled_reason"],
    }


def install(directory: Path, auth_url: str, folder: Path) -> None:
    """Makes the executable `witness` in Fenix's directory of commands.

    Args:
        folder: where it writes what it sees.
    """
    root = str(Path(__file__).resolve().parents[2])
    script = directory / "witness"
    script.write_text(
        SCRIPT.format(python=sys.executable, root=root, auth_url=auth_url, folder=str(folder))
    )
    script.chmod(0o755)


def main(auth_url: str, folder: str) -> None:
    """The executable: writes what it sees to a file of its own."""
    kind, host = os.environ["FENIX_ACTION_TYPE"], os.environ["FENIX_HOST"]
    seen = look(administrator(auth_url), host) if host else {"at": utcnow().isoformat()}
    seen |= {"type": kind, "session_id": os.environ["FENIX_SESSION_ID"]}
    (Path(folder) / f"{uuid4()}.json").write_text(json.dumps(seen))
    sys.stdout.write(f"{kind} {host}\n")
