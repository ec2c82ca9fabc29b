"""`fenix message`: messages that nobody has taken."""

from typing import Annotated

import typer

from fenix.cli.parameters import AsJson, OsCloud, SessionId, Url

commands = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "message_state", "project_id", "channel", "target", "state", "attempts", "error")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="message", help="Messages that nobody has taken.")


@commands.command("list")
def list_undelivered(
    session: SessionId, url: Url = None, os_cloud: OsCloud = None, as_json: AsJson = False
) -> None:
    """List a session's messages that are still being tried, or were given up."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json, table

    with connect(url, os_cloud) as client:
        found = list(client.undelivered(session))
    if as_json:
        print_json(found)
        return
    console().print(table("", COLUMNS, ([one[name] for name in COLUMNS] for one in found)))


@commands.command()
def send(
    session: SessionId,
    delivery: Annotated[
        list[int] | None,
        typer.Argument(metavar="[ID]...", help="Of `list`; default: all that were given up."),
    ] = None,
    url: Url = None,
    os_cloud: OsCloud = None,
) -> None:
    """Send messages again that were given up."""
    from fenix.cli.client import connect

    with connect(url, os_cloud) as client:
        count = client.send_again(session, delivery or [])
    typer.echo(f"messages that are sent again: {count}")
