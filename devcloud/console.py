"""What the user sees: progress with the time since the start, and errors that say what to do."""

import time

_START = time.monotonic()


class DevcloudError(Exception):
    """Something the user can understand and act on: shown without a traceback."""


def say(message: str) -> None:
    """Print one line of progress, with the seconds since the program's start before it."""
    print(f"[{time.monotonic() - _START:7.2f}s] {message}", flush=True)
