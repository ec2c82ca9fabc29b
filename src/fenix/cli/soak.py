"""`fenix soak`: random simulations in which much goes wrong."""

import logging
from collections import Counter
from typing import Annotated

import typer

from fenix.cli.errors import CommandFailed


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("soak")(soak)


def soak(
    runs: Annotated[int, typer.Option(min=1, help="How many simulations.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; each run takes the next.")] = 1,
) -> None:
    """Simulate random sessions with faults, and stop at the first that comes to no good end.

    A good end is MAINTENANCE_DONE, or a failure that names its cause, with all invariants kept.
    """
    from fenix.simulation.soak import run

    logging.disable(logging.ERROR)
    ends: Counter[str] = Counter()
    for number in range(seed, seed + runs):
        one = run(number)
        if one.problems:
            told = "\n  ".join(one.problems)
            raise CommandFailed(
                f"seed {number} ends in {one.state or 'an error'} {one.reason}\n  {told}\n"
                f"repeat it: fenix soak --runs 1 --seed {number}"
            )
        ends[one.state] += 1
        if sum(ends.values()) % 100 == 0:
            typer.echo(f"{sum(ends.values())} of {runs}: {_told(ends)}")
    typer.echo(f"{runs} runs from seed {seed}, all with a good end: {_told(ends)}")


def _told(ends: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))
