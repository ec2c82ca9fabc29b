"""`fenix subscription`: URLs to which messages are posted."""

from typing import Annotated

import typer

from fenix.cli.errors import CommandFailed
from fenix.cli.parameters import AsJson, OsCloud, Url

commands = typer.Typer(no_args_is_help=True)

Project = Annotated[
    str | None, typer.Option("--project", metavar="ID", help="Default: the token's project.")
]
SubscriptionId = Annotated[str, typer.Argument(metavar="SUBSCRIPTION")]
COLUMNS = ("id", "project_id", "format", "event_types", "url", "created_at")


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
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Have a project's messages posted to a URL, and print the subscription's id."""
    from fenix.cli.client import connect
    from fenix.cli.output import print_json

    body: dict[str, object] = {"url": callback, "format": body_format}
    if event_type:
        body["event_types"] = event_type
    if project:
        body["project_id"] = project
    with connect(url, os_cloud) as client:
        made = client.subscribe(body)
    if as_json:
        print_json(made)
    else:
        typer.echo(made["id"])


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
    shown = [one | {"event_types": ", ".join(one["event_types"])} for one in found]
    console().print(table("", COLUMNS, ([one[name] for name in COLUMNS] for one in shown)))


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
