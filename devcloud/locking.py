"""One command at a time: two that start or stop services at once would undo each other's work."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from devcloud.console import DevcloudError, say
from devcloud.waiting import wait_until


@contextmanager
def exclusive(root: Path, seconds: float = 900) -> Iterator[None]:
    """Hold the lock of a devcloud; it goes with the process, however that ends.

    Raises:
        DevcloudError: another command still holds it after that many seconds, or the folder
            cannot be written to.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / ".lock").open("w")
    except OSError as error:
        raise DevcloudError(f"cannot use {root}: {error}; set DEVCLOUD_ROOT") from None
    with lock as file:
        if not _try_lock(file):
            say("another devcloud command is at work: waiting for it")
            wait_until(lambda: _try_lock(file), f"the lock {file.name}", seconds)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
