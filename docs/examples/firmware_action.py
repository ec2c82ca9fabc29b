"""An action that flashes a host's firmware by a tool of the operator's."""

import subprocess
from collections.abc import Mapping
from typing import Any

from fenix.actions import Action, ActionFailed, ActionRequest


class FirmwareAction(Action):
    """Takes metadata ``version``, and ``tool`` where it is not ``/usr/local/bin/flash``."""

    rerun_safe = True  # flashing the same version twice does no harm

    def run(self, request: ActionRequest) -> None:
        """Flashes, and lets the tool's output become the log."""
        tool = request.metadata.get("tool", "/usr/local/bin/flash")
        done = subprocess.run([tool, str(request.host), request.metadata["version"]])
        if done.returncode:
            raise ActionFailed(f"{tool} ended with exit code {done.returncode}")

    @classmethod
    def validate(cls, metadata: Mapping[str, Any]) -> None:
        """Refuses a session without a version."""
        if not isinstance(metadata.get("version"), str):
            raise ValueError(f"version: {metadata.get('version')!r}; allowed: a text")
