"""An action that runs an executable of the operator's: the simplest way to have hosts upgraded.

The session's request names the executable; which ones there are is the operator's decision alone,
so a request can only choose among those in the configured directory, ``[DEFAULT] command_dir``.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fenix.actions.base import Action, ActionFailed, ActionRequest

DIRECTORY = "FENIX_COMMAND_DIR"
"""The variable by which the service tells the plug-in's process what is configured."""

LONGEST = 64 * 1024
"""Characters of metadata as JSON: Linux takes 128 KiB in one string of the environment."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CommandAction(Action):
    """Runs metadata ``command``, a name, with ``args``, a list of strings.

    The executable is told in its environment: ``FENIX_HOST`` (empty for pre and post),
    ``FENIX_SESSION_ID``, ``FENIX_ACTION_TYPE``, ``FENIX_RUN_ID`` (the same if it is run again),
    ``FENIX_METADATA`` and ``FENIX_SESSION_METADATA`` (JSON). What it prints is the log.
    """

    def run(self, request: ActionRequest) -> None:
        """Runs it to its end.

        Raises:
            ActionFailed: it can't be run, ended with a code other than 0, or by a signal.
        """
        self.validate(request.metadata)
        name = request.metadata["command"]
        environment = {
            "FENIX_HOST": request.host or "",
            "FENIX_SESSION_ID": request.session_id,
            "FENIX_ACTION_TYPE": str(request.type),
            "FENIX_RUN_ID": request.run_id,
            "FENIX_METADATA": json.dumps(dict(request.metadata)),
            "FENIX_SESSION_METADATA": json.dumps(dict(request.session_metadata)),
        }
        code = subprocess.run(
            [_executable(name), *request.metadata.get("args", [])],
            stdin=subprocess.DEVNULL,
            env=os.environ | environment,
        ).returncode
        if code < 0:
            raise ActionFailed(f"{name} was ended by {signal.Signals(-code).name}")
        if code:
            raise ActionFailed(f"{name} ended with exit code {code}")

    @classmethod
    def validate(cls, metadata: Mapping[str, Any]) -> None:
        """Refuses what is no name and no list of arguments."""
        unknown = sorted(metadata.keys() - {"command", "args"})
        if unknown:
            raise ValueError(f"{unknown[0]}: is not known; allowed: command, args")
        name = metadata.get("command")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"command: {name!r} is not valid; allowed: the name of an executable in the "
                "operator's directory, of letters, digits, dots, dashes and underscores"
            )
        args = metadata.get("args", [])
        if not isinstance(args, list) or not all(
            isinstance(arg, str) and "\0" not in arg for arg in args
        ):
            raise ValueError(f"args: {args!r} is not valid; allowed: a list of strings")
        if len(json.dumps(dict(metadata))) > LONGEST:
            raise ValueError(f"metadata is too long; allowed: {LONGEST} characters as JSON")


def _executable(name: str) -> Path:
    directory = os.environ.get(DIRECTORY)
    if not directory:
        raise ActionFailed("no commands can be run here: [DEFAULT] command_dir is not set")
    path = Path(directory) / name
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ActionFailed(f"{name} is not an executable file in {directory}")
    return path
