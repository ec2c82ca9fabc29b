"""`fenix db`: the database's schema, and what is kept in it."""

from datetime import timedelta
from typing import Annotated

import typer

from fenix.cli.errors import reported
from fenix.cli.parameters import ConfigDirs, ConfigFiles

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="db", help="The database: its schema, and what is kept.")


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


@commands.command()
def purge(
    config_file: ConfigFiles = None,
    config_dir: ConfigDirs = None,
    older_than: Annotated[
        int,
        typer.Option(min=0, max=36_500, metavar="DAYS", help="Only what was deleted longer ago."),
    ] = 30,
) -> None:
    """Remove for good what is kept of deleted sessions: timelines, messages, logs of actions."""
    from fenix import service
    from fenix.cli.output import waiting

    with reported(service.CannotStart), waiting("deleted sessions are being removed"):
        conf = service.read_config(config_file or (), config_dir or ())
        before = service.utc_now() - timedelta(days=older_than)
        count = service.purge_sessions(conf, before)
    typer.echo(f"{count} deleted {'session is' if count == 1 else 'sessions are'} gone for good")
