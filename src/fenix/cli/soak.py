"""`fenix soak`: simulations in which much goes wrong, by chance or at each single step."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fenix.cli.errors import CommandFailed
from fenix.simulation.attack import Attack

if TYPE_CHECKING:
    from fenix.simulation.scenario import Scenario


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("soak")(soak)


def soak(
    runs: Annotated[int, typer.Option(min=1, help="How many simulations.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; each run takes the next.")] = 1,
    attack: Annotated[
        Attack | None,
        typer.Option(
            help="managers: they lose messages, and answer twice, late, for another state, "
            "session, project or instance. cloud: its API fails, refuses, loses answers, and says "
            "what was before.",
        ),
    ] = None,
    each_step: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead kill the engine at each single step of this scenario's session.",
        ),
    ] = None,
    every: Annotated[
        int, typer.Option(min=1, help="With --each-step: only at one in so many steps.")
    ] = 1,
) -> None:
    """Simulate random sessions with faults, and stop at the first that comes to no good end.

    A good end is MAINTENANCE_DONE, or a failure that names its cause, with all invariants kept.
    """
    logging.disable(logging.CRITICAL)
    if each_step is not None:
        from fenix.cli.simulate import load_scenario

        _steps(load_scenario(each_step), every)
    else:
        _random(range(seed, seed + runs), attack)


def _random(seeds: Iterable[int], attack: Attack | None) -> None:
    from fenix.simulation.soak import run

    ends: Counter[str] = Counter()
    option = f" --attack {attack}" if attack else ""
    for number in seeds:
        one = run(number, attack=attack)
        if one.problems:
            told = "\n  ".join(one.problems)
            raise CommandFailed(
                f"seed {number} ends in {one.state or 'an error'} {one.reason}\n  {told}\n"
                f"repeat it: fenix soak --runs 1 --seed {number}{option}"
            )
        ends[one.state] += 1
        if ends.total() % 100 == 0:
            typer.echo(f"{ends.total()} runs: {_told(ends)}")
    typer.echo(f"{ends.total()} runs, all with a good end: {_told(ends)}")


def _told(ends: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(ends.items()))


def _steps(scenario: "Scenario", every: int) -> None:
    from fenix.simulation.each_step import crash, steps

    chosen = steps(scenario)[::every]
    bad = 0
    for number, step in enumerate(chosen, 1):
        if found := crash(scenario, [step]):
            bad += 1
            typer.echo(f"a crash {step}: {'; '.join(found)}", err=True)
        if number % 100 == 0:
            typer.echo(f"{number} of {len(chosen)} steps, {bad} with a bad end")
    if bad:
        raise CommandFailed(f"{bad} of {len(chosen)} crashes come to no good end")
    typer.echo(f"{len(chosen)} crashes, all with a good end")
