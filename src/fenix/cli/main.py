"""Puts the commands together, and lets no expected error show a trace."""

import sys
from typing import Annotated

import typer

from fenix.cli import (
    app_manager,
    bench,
    database,
    demo,
    keys,
    message_commands,
    plan,
    scenario,
    serving,
    session_commands,
    simulate,
    simulated_cloud,
    soak,
    subscription_commands,
)
from fenix.cli.errors import CommandFailed

app = typer.Typer(
    name="fenix",
    help="Rolling maintenance of clouds while the applications on them keep running.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo,
    serving,
    database,
    keys,
    session_commands,
    plan,
    subscription_commands,
    message_commands,
    simulated_cloud,
    simulate,
    scenario,
    bench,
    soak,
    app_manager,
):
    module.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from fenix import __version__

        typer.echo(f"fenix {__version__}")
        raise typer.Exit


@app.callback()
def fenix(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Rolling maintenance of clouds while the applications on them keep running."""


def main() -> None:
    """The entry point: exits with 0 for success, 1 when the request failed, 2 for wrong usage."""
    try:
        app()
    except CommandFailed as error:
        typer.echo(f"fenix: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
