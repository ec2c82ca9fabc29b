"""`fenix key`: the keys that the secrets of subscriptions are encrypted with."""

from pathlib import Path
from typing import Annotated

import typer

from fenix.cli.errors import reported
from fenix.cli.parameters import ConfigDirs, ConfigFiles

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="key", help="Keys that encrypt the secrets of subscriptions.")


@commands.command()
def add(file: Annotated[Path, typer.Argument(metavar="FILE", help="Is made if missing.")]) -> None:
    """Put a new key first into a file; what is there stays, to decrypt."""
    from fenix import service

    with reported(OSError):
        count = service.add_key(file)
    typer.echo(f"{file} holds {count} {'key' if count == 1 else 'keys'}")


@commands.command()
def reseal(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Encrypt all secrets with the first key, so that the others can be taken away."""
    from fenix import service

    with reported(service.CannotStart):
        count = service.reseal(service.read_config(config_file or (), config_dir or ()))
    typer.echo(f"{count} subscriptions have secrets; all are encrypted with the first key")
