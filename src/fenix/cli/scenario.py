"""`fenix scenario`: scenario files of any size."""

from pathlib import Path
from typing import Annotated

import typer

from fenix.cli.errors import CommandFailed, reported

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="scenario", help="Scenario files for simulations.")


@commands.command()
def generate(
    family: Annotated[
        str, typer.Argument(metavar="FAMILY", help="doctor, telco, tight, it, mixed or region.")
    ],
    size: Annotated[int, typer.Argument(metavar="SIZE", help="Number of hosts.")],
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="File; without it, standard output.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one gives another cloud.")] = 1,
) -> None:
    """Make a scenario; the same family, size and seed always give the same one."""
    from fenix.simulation.generate import generate as make
    from fenix.simulation.generate import written

    try:
        text = written(make(family, size, seed))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if out is None:
        typer.echo(text, nl=False)
        return
    with reported(OSError):
        if out.is_dir():
            raise CommandFailed(f"{out}: is a directory")
        out.write_text(text, encoding="utf-8")
