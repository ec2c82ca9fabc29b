"""What /proc tells about processes: enough to know ours again without a library."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One line of /proc/PID/stat.

    `started` counts clock ticks since boot: together with the pid it names a process for good,
    while a pid alone may be given to another one later.
    """

    pid: int
    state: str
    session: int
    started: int

    @property
    def runs(self) -> bool:
        return self.state not in ("Z", "X")


def read(pid: int) -> Process | None:
    """That process, or None if there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()  # the name before it may hold spaces
    return Process(pid=pid, state=fields[0], session=int(fields[3]), started=int(fields[19]))


def running() -> Iterator[Process]:
    """All processes but the dead ones that nobody has waited for."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            process = read(int(entry.name))
            if process and process.runs:
                yield process


def boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def memory_kib(pid: int) -> tuple[int, int]:
    """Resident and proportional set size in KiB; zeros if the process has gone."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {key: rest.split()[0] for key, _, rest in (line.partition(":") for line in lines[1:])}
    return int(sizes.get("Rss", 0)), int(sizes.get("Pss", 0))
