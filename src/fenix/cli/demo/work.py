"""The demo's upgrade of a host: a command of the operator's that takes a while."""

import sys
from pathlib import Path

COMMAND = "upgrade-host"

_SCRIPT = """\
#!{python}
# Stands for the upgrade of a host. It tells the cloud's event log when it begins and ends.
import json, os, time, urllib.request

def tell(event, **more):
    body = json.dumps({{"event": event, "host": os.environ["FENIX_HOST"], **more}}).encode()
    request = urllib.request.Request("{cloud}/events", body, {{"Content-Type": "application/json"}})
    urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(request, timeout=10).close()

tell("host.maintenance.started")
time.sleep({seconds})
tell("host.maintenance.finished", ok=True)
"""


def write_command(directory: Path, cloud_url: str, seconds: float) -> Path:
    """Writes the command; returns the directory for ``command_dir``.

    Args:
        directory: where the directory is made.
        cloud_url: the simulated cloud's.
        seconds: how long the upgrade takes.
    """
    commands = directory / "commands"
    commands.mkdir()
    script = commands / COMMAND
    script.write_text(_SCRIPT.format(python=sys.executable, cloud=cloud_url, seconds=seconds))
    script.chmod(0o755)
    return commands
