"""Keeps the end of what a plug-in prints, however much it is."""

from contextlib import suppress
from pathlib import Path

LIMIT = 64 << 10
"""Bytes of a log that are kept."""


class Tail:
    """The last `limit` bytes written, in memory, and roughly in a file too.

    The file (at most twice as long) is for those who watch a run, and for the case that its
    supervisor dies; so a full disk is no reason to stop.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._total = 0
        self._file = path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Adds to the end."""
        self._total += len(data)
        self._kept += data
        del self._kept[: -self._limit]
        with suppress(OSError):
            if self._file.tell() + len(data) > 2 * self._limit:
                self._file.seek(0)
                self._file.truncate()
                data = bytes(self._kept)
            self._file.write(data)

    def text(self) -> str:
        """The end of all that was written, and how much was left out before."""
        text = readable(bytes(self._kept))
        left_out = self._total - len(self._kept)
        return f"[{left_out} bytes left out]\n{text}" if left_out else text

    def close(self) -> None:
        """Closes the file, which stays."""
        self._file.close()


def readable(data: bytes) -> str:
    """Text that any database takes: no NUL, nothing that is not UTF-8."""
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")
