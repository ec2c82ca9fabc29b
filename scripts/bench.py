"""Compares workflows and policies on clouds of all families, in virtual time: ``make bench``.

Each simulation runs in a process of its own, so that its memory can be told.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fenix.simulation.generate import DESCRIPTIONS, generate, written

LIMIT = 3600.0
"""Seconds that one simulation may take."""

WAYS = ("vnf", "default", "batch", "drain", "serial")
WORKFLOWS = ("vnf", "default")
COLUMNS = (
    "scenario",
    "way",
    "state",
    "makespan s",
    "ratio",
    "moves",
    "wall s",
    "MiB",
    "violations",
)


def main() -> int:
    """Runs all, and returns how many broke a rule or did not come to an end."""
    options = _arguments()
    table = Table(*COLUMNS)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="fenix-bench-") as place:
        for file in _scenarios(Path(place), options.families, options.sizes, options.seed):
            for way in options.ways:
                result = _simulate(file, way)
                # The policies are there to be compared with and know no groups.
                bad += bool(result.get("violations")) and way in WORKFLOWS
                bad += "error" in result
                table.add_row(file.stem, way, *_cells(result))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return min(bad, 1)


def _scenarios(
    place: Path, families: Sequence[str], sizes: Sequence[int], seed: int
) -> Iterator[Path]:
    for family in families:
        for size in sizes:
            file = place / f"{family}-{size}.json"
            file.write_text(written(generate(family, size, seed)))
            yield file


def _simulate(file: Path, way: str) -> dict[str, Any]:
    report = file.with_suffix(".report")
    report.unlink(missing_ok=True)
    choice = "--workflow" if way in WORKFLOWS else "--policy"
    command = [sys.executable, "-m", "fenix.cli", "simulate", str(file)]
    done = subprocess.run(
        [*command, choice, way, "--report", str(report)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    if not report.exists():
        return {"error": (done.stderr.strip().splitlines() or ["no report"])[-1]}
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def _cells(result: dict[str, Any]) -> Sequence[str]:
    if "error" in result:
        return (result["error"], "", "", "", "", "", "")
    return (
        result["state"].removeprefix("MAINTENANCE_"),
        f"{result['makespan_s']:.0f}",
        "" if result["ratio"] is None else f"{result['ratio']:.2f}",
        f"{result['moves']} / {result['moves_lower_bound']}",
        f"{result['wall_s']:.1f}",
        f"{result['peak_memory_mb']:.0f}",
        str(len(result["violations"])),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="+", choices=DESCRIPTIONS, default=list(DESCRIPTIONS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 40], metavar="HOSTS")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
