"""What a simulation costs in the real world: time, processor and memory of this process."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
