"""Runs random simulations, in which much goes wrong, until one ends badly: ``make soak``."""

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import Pool

from rich.console import Console

from fenix.simulation.soak import Run, run

BATCH = 100


def main() -> int:
    """Returns 1 if a simulation ended badly; its seed is told."""
    options = _arguments()
    console = Console(highlight=False)
    states: Counter[str] = Counter()
    end = time.monotonic() + 60 * options.minutes
    first = options.first
    with Pool(options.processes) as pool:
        while time.monotonic() < end:
            for one in pool.imap_unordered(run, range(first, first + BATCH)):
                states[one.state] += 1
                if one.problems:
                    _tell(console, one)
                    return 1
            first += BATCH
            console.print(f"up to seed {first - 1}: {_sum(states)}")
    console.print("no problem was found")
    return 0


def _tell(console: Console, one: Run) -> None:
    console.print(f"seed {one.seed}: {one.state or 'no end'} {one.reason}", style="bold red")
    for problem in one.problems:
        console.print(f"  {problem}")
    console.print(f"again: {sys.argv[0]} --first {one.seed}")


def _sum(states: Counter[str]) -> str:
    parts = (f"{number} {state}" for state, number in sorted(states.items()))
    return f"{states.total()} simulations: {', '.join(parts)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
