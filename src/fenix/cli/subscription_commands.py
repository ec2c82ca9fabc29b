"""`fenix subscription`: URLs to which messages are posted."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fenix.cli.errors import CommandFailed, reported
from fenix.cli.parameters import AsJson, OsCloud, Url

commands = typer.Typer(no_args_is_help=True)

Project = Annotated[
    str | None, typer.Option("--project", metavar="ID", help="Default: the token's project.")
]
SubscriptionId = Annotated[str, typer.Argument(metavar="SUBSCRIPTION")]
SecretFile = Annotated[
    Path | None,
    typer.Option(help="File with a secret of your own (whsec_...). Default: Fenix makes one."),
]
COLUMNS = ("id", "project_id", "format", "event_types", "url", "signed", "health", "last_error")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="subscription", help="URLs that get messages directly.")


@commands.command()
def create(
    callback: Annotated[str, typer.Argument(metavar="CALLBACK_URL")],
    project: Project = None,
    body_format: Annotated[
        str, typer.Option("--format", help="aodh (as an alarm of Aodh's) or cloudevents.")
    ] = "aodh",
    event_type: Annotated[
        list[str] | None,
        typer.Option(
            help="maintenance.scheduled (the default), and for administrators maintenance.host "
            "and maintenance.session; repeatable."
        ),
    ] = None,
    secret_file: SecretFile = None,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Have a project's messages posted to a URL, and print the subscription's id."""
    from fenix.cli.client import connect

    body: dict[str, object] = {"url": callback, "format": body_format}
    if event_type:
        body["event_types"] = event_type
    if project:
        body["project_id"] = project
    body |= _own_secret(secret_file)
    with connect(url, os_cloud) as client:
        _tell(client.subscribe(body), as_json)


@commands.command("list")
def list_subscriptions(
    project: Annotated[
        str | None, typer.Option("--project", metavar="ID", help="Only this project's.")
    ] = None,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """List the subscriptions that you may see."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json, table

    with connect(url, os_cloud) as client:
        found = client.subscriptions(project)
    if as_json:
        print_json(found)
        return
    rows = ([_cell(one[name]) for name in COLUMNS] for one in found)
    console().print(table("", COLUMNS, rows))


@commands.command()
def show(
    subscription: SubscriptionId,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Show a subscription, whether its messages are taken, and else why not."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json, table

    with connect(url, os_cloud) as client:
        found = client.subscription(subscription)
    if as_json:
        print_json(found)
        return
    console().print(table("", ("", ""), ((name, _cell(value)) for name, value in found.items())))


@commands.command()
def rotate(
    subscription: SubscriptionId,
    secret_file: SecretFile = None,
    keep_old: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="How long messages are signed with the present secret, too; 0 if somebody else "
            "has it. Default: as configured.",
        ),
    ] = None,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Give a subscription another secret."""
    from fenix.cli.client import connect

    body = _own_secret(secret_file)
    if keep_old is not None:
        body["keep_old"] = keep_old
    with connect(url, os_cloud) as client:
        _tell(client.replace_secret(subscription, body), as_json)


@commands.command()
def delete(subscription: SubscriptionId, url: Url = None, os_cloud: OsCloud = None) -> None:
    """End a subscription."""
    from fenix.cli.client import connect

    with connect(url, os_cloud) as client:
        client.unsubscribe(subscription)
    typer.echo(f"subscription {subscription} is deleted")


@commands.command("test")
def try_out(subscription: SubscriptionId, url: Url = None, os_cloud: OsCloud = None) -> None:
    """Post a test message; exit code 0 if it was taken."""
    from fenix.cli.client import connect

    with connect(url, os_cloud) as client:
        outcome = client.try_subscription(subscription)
    if not outcome["delivered"]:
        raise CommandFailed(f"the message was not taken: {outcome['error']}")
    typer.echo("the message was taken")


def _own_secret(file: Path | None) -> dict[str, Any]:
    """The part of a request that brings a secret along."""
    with reported(OSError):
        return {"secret": file.read_text().strip()} if file else {}


def _tell(made: dict[str, Any], as_json: bool) -> None:
    """Prints the id, and apart from it the secret, for this one time."""
    from fenix.cli.output import print_json

    if as_json:
        print_json(made)
        return
    typer.echo(made["id"])
    if made["secret"]:
        typer.echo(f"secret, not shown again: {made['secret']}", err=True)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else value
