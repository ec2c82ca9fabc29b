"""Ends the processes of a run whose supervisor is dead.

Each process of a run inherits ``FENIX_RUN_ID`` in its environment; Linux shows it in /proc. So
they are found even by an engine that did not start them.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

RUN_ID = "FENIX_RUN_ID"

_LIMIT = 5.0
_PAUSE = 0.01
_LOOKS = 3  # that find nothing: a process may start another and end between two glances


def end_processes(run_id: str) -> list[int]:
    """Kills all processes of a run and waits until they are gone.

    Returns:
        The ids of those that were still there after 5 s: nothing ends a process whose disk or
        network file system hangs.
    """
    deadline = time.monotonic() + _LIMIT
    clean = 0
    while clean < _LOOKS:
        found = dict(_find(run_id))
        clean = 0 if found else clean + 1
        for pid, group in found.items():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        if time.monotonic() > deadline:
            return list(found)
        time.sleep(_PAUSE)
    return []


def _find(run_id: str) -> Iterator[tuple[int, int]]:
    """The processes of a run and their process groups."""
    marker = f"{RUN_ID}={run_id}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has just ended, or belongs to someone else
            if marker in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name), os.getpgid(int(entry.name))
