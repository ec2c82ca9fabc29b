"""`fenix plan`: what a session would do, without doing it."""

from typing import Annotated

import typer

from fenix.cli.parameters import AsJson, OsCloud, Url
from fenix.cli.session_options import (
    Actions,
    At,
    Hosts,
    Many,
    Metadata,
    Options,
    Workflow,
    session_body,
)

LONGEST = 3660.0
"""Seconds to wait for a plan: somewhat more than the service may be allowed to take."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(plan)


def plan(
    at: At = "now",
    workflow: Workflow = "default",
    host: Hosts = None,
    action: Actions = None,
    metadata: Metadata = None,
    option: Options = None,
    assume: Annotated[
        Many,
        typer.Option(
            metavar="NAME=VALUE",
            help="How long something takes, or whether applications scale in, such as "
            "host_seconds=900 or scale_in=false; repeatable.",
        ),
    ] = None,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Show what a session would do, without doing it; exit code 1 where it would fail.

    The session is carried out on a copy of the cloud, with applications that agree to everything.
    Nothing is changed, and nobody is told.
    """
    from fenix.cli import session_request as request
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json, waiting
    from fenix.cli.plan_view import whole

    body = session_body(at, workflow, host, action, metadata, option)
    if assume:
        body["assume"] = request.options(assume)
    with connect(url, os_cloud, LONGEST) as client, waiting("the plan is being made"):
        found = client.plan(body)
    if as_json:
        print_json(found)
    else:
        console().print(whole(found))
    if not found["feasible"]:
        raise typer.Exit(1)
