"""Waiting with a limit: every wait of the driver goes through here and says what it waits for."""

import socket
import time
from collections.abc import Callable

from devcloud.console import DevcloudError


def wait_until(
    condition: Callable[[], bool], what: str, seconds: float, *, every: float = 0.05
) -> None:
    """Return when the condition holds.

    Args:
        condition: asked again and again; may raise DevcloudError to give up early.
        what: completes the sentence "waited 60 s in vain for ...".
        seconds: the limit.
        every: seconds between two questions.

    Raises:
        DevcloudError: the limit is reached.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise DevcloudError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(every)


def listens(port: int) -> bool:
    """True if something accepts connections on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
