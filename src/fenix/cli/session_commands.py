"""`fenix session`: what administrators do with sessions."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from fenix.cli.errors import CommandFailed
from fenix.cli.parameters import AsJson, OsCloud, SessionId, Url
from fenix.cli.session_options import (
    Actions,
    At,
    Hosts,
    Metadata,
    Options,
    Workflow,
    session_body,
)

if TYPE_CHECKING:
    from fenix.cli.client import Client

commands = typer.Typer(no_args_is_help=True)

Interval = Annotated[float, typer.Option(min=0.05, help="Seconds between two looks.")]
LONGEST_DELETION = 86400.0


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands, name="session", help="Maintenance sessions.")


@commands.command()
def create(
    at: At = "now",
    workflow: Workflow = "default",
    host: Hosts = None,
    action: Actions = None,
    metadata: Metadata = None,
    option: Options = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Create a session, and print its id."""
    from fenix.cli.client import connect
    from fenix.cli.output import print_json

    body = session_body(at, workflow, host, action, metadata, option)
    with connect(url, os_cloud) as client:
        ident = client.create_session(body)
        if as_json:
            print_json({"session_id": ident})
        else:
            typer.echo(ident)
        if watch:
            from fenix.cli.watching import follow, judge

            judge(follow(client, ident))


@commands.command("list")
def list_sessions(url: Url = None, os_cloud: OsCloud = None, as_json: AsJson = False) -> None:
    """List all sessions, oldest first."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json
    from fenix.cli.session_view import sessions_table

    with connect(url, os_cloud) as client:
        found = client.sessions()
    if as_json:
        print_json(found)
    else:
        console().print(sessions_table(found))


@commands.command()
def show(
    session: SessionId,
    timeline: Annotated[bool, typer.Option("--timeline", help="And all that happened.")] = False,
    url: Url = None,
    os_cloud: OsCloud = None,
    as_json: AsJson = False,
) -> None:
    """Show where a session stands, what it waits for, and all it works on."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json
    from fenix.cli.session_view import timeline_table, whole

    with connect(url, os_cloud) as client:
        detail = client.detail(session)
        lines = list(client.timeline(session)) if timeline else []
    if as_json:
        print_json(detail | ({"timeline": lines} if timeline else {}))
        return
    console().print(whole(detail))
    if timeline:
        console().print(timeline_table(lines))


@commands.command()
def watch(
    session: SessionId,
    interval: Interval = 1.0,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds that Fenix may be away, as for a restart.")
    ] = 300.0,
    url: Url = None,
    os_cloud: OsCloud = None,
) -> None:
    """Follow a session to its end; exit code 0 for MAINTENANCE_DONE, 1 for MAINTENANCE_FAILED."""
    from fenix.cli.client import connect
    from fenix.cli.watching import follow, judge

    with connect(url, os_cloud) as client:
        judge(follow(client, session, interval, patience))


@commands.command("continue")
def continue_session(
    session: SessionId,
    state: Annotated[
        str | None, typer.Option(help="Where to go on; default: where it has failed.")
    ] = None,
    url: Url = None,
    os_cloud: OsCloud = None,
) -> None:
    """Let a failed session go on."""
    from fenix.cli.client import connect

    with connect(url, os_cloud) as client:
        if state is None:
            found = client.session(session)
            state = found["failed_state"]
            if state is None:
                raise CommandFailed(f"session {session} is in {found['state']}: it has not failed")
        client.continue_session(session, state)
    typer.echo(f"session {session} goes on at {state}")


@commands.command()
def delete(
    session: SessionId,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is gone.")] = False,
    interval: Interval = 1.0,
    url: Url = None,
    os_cloud: OsCloud = None,
) -> None:
    """End a session safely, in whatever state it is, and forget it.

    Moves and actions under way are waited for, and the hosts that it disabled are enabled again.
    """
    from fenix.cli.client import connect

    with connect(url, os_cloud) as client:
        client.delete_session(session)
        if wait:
            _until_gone(client, session, interval)
    typer.echo(f"session {session} is {'gone' if wait else 'being ended'}")


def _until_gone(client: "Client", session: str, interval: float) -> None:
    from fenix.cli.client import ApiError

    end = time.monotonic() + LONGEST_DELETION
    while True:
        try:
            found = client.session(session)
        except ApiError as error:
            if error.code == 404:
                return
            raise
        if time.monotonic() > end:
            raise CommandFailed(f"session {session} is still in {found['state']}")
        time.sleep(interval)
