"""`fenix db`: the schema of the database."""

from typing import Annotated

import typer

from fenix.cli.errors import reported
from fenix.cli.parameters import ConfigDirs, ConfigFiles

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="db", help="The database's schema.")


@commands.command()
def upgrade(
    config_file: ConfigFiles = None,
    config_dir: ConfigDirs = None,
    revision: Annotated[str, typer.Option(help="Where to stop.")] = "head",
) -> None:
    """Make the tables, or bring them up to date; does nothing where they are."""
    from fenix import service

    with reported(service.CannotStart):
        conf = service.read_config(config_file or (), config_dir or ())
        service.upgrade(conf, revision)
        typer.echo(f"the database is at revision {service.current_revision(conf)}")


@commands.command()
def current(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Show the database's revision, and the one that this release needs."""
    from fenix import service

    with reported(service.CannotStart):
        conf = service.read_config(config_file or (), config_dir or ())
        found, wanted = service.current_revision(conf), service.newest_revision()
    typer.echo(f"database: {found or 'no schema'}\nrelease:  {wanted}")
    if found != wanted:
        raise typer.Exit(1)
