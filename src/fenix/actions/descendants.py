"""Makes a process the guardian of all that it starts, at whatever remove.

Linux gives orphans to the nearest ancestor that has asked for them. So none of a plug-in's
programs can slip away from its supervisor, and when that has no children left, there are none.
"""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LIMIT = 5.0
_PAUSE = 0.01


def adopt_orphans() -> None:
    """From now on orphaned descendants become children of this process.

    Raises:
        OSError: the kernel can't do it, or does not tell a process its children.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    _children()  # to fail now, where it can't be read, and not when it counts


def reap() -> dict[int, int]:
    """Buries the children that have ended; their wait statuses by process id."""
    buried = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            buried[ended[0]] = ended[1]
    return buried


def end_descendants() -> list[int]:
    """Kills all descendants of this process and waits until they are gone.

    Whole process groups are killed at one blow: one by one, processes might be born faster than
    they are found. The dead are buried only after their group is known.

    Returns:
        The ids of the children that were still there after 5 s: someone else's, or with a disk
        that hangs.
    """
    deadline = time.monotonic() + _LIMIT
    groups: set[int] = set()
    while children := _children():
        for pid in children:
            with suppress(ProcessLookupError):
                groups.add(os.getpgid(pid))
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for group in groups - {os.getpgrp()}:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        reap()
        if time.monotonic() > deadline:
            return children
        time.sleep(_PAUSE)
    return []


def _children() -> list[int]:
    """The children of this process, which has a single thread, those included that are dead."""
    return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
