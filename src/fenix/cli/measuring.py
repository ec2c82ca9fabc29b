"""What a simulation costs in the real world: time, processor and memory of this process."""

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fenix import __version__

UNIT = 1024 * 1024 if sys.platform == "darwin" else 1024
"""`ru_maxrss` is in bytes on macOS and in KiB elsewhere."""


@dataclass(slots=True)
class Cost:
    """Filled in when the block ends.

    Attributes:
        wall_s: real time, s.
        cpu_s: processor time of all threads, s.
        peak_memory_mb: the most memory that the process has had since it began, MiB.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measures what happens within the block."""
    cost = Cost()
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost.wall_s = time.perf_counter() - wall
    cost.cpu_s = time.process_time() - cpu
    cost.peak_memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT


def where() -> str:
    """On which machine and of which version something was measured, as the end of a sentence."""
    machine = f"{_processor()} with {os.cpu_count()} processors, Python {platform.python_version()}"
    return f" on {machine}, at {_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version() -> str:
    """The commit of a clone, else the release."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return f"release {__version__}"
    return f"commit {found.stdout.strip()}"
