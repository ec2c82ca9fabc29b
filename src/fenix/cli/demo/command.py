"""The command, and in which order things happen."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fenix.cli.errors import CommandFailed, reported

if TYPE_CHECKING:
    from fenix.cli.demo.stage import Stage

NOTICE = "+4s"
OPTIONS = {"reply_timeout": 60, "scale_in_timeout": 60, "complete_timeout": 60, "move_timeout": 60}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    hosts: Annotated[int, typer.Option(min=3, max=200, help="Hosts of the cloud.")] = 4,
    workflow: Annotated[str, typer.Option(help="default or vnf.")] = "vnf",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running afterwards, until Ctrl-C.")
    ] = False,
) -> None:
    """See a whole maintenance on this machine, in less than a minute.

    Exit code 0 only if all hosts were really worked on and everything is as it was before.
    """
    from fenix.cli.demo.stage import Stage
    from fenix.service import CannotStart

    with (
        reported(CannotStart),
        _as_interrupt(signal.SIGTERM),
        tempfile.TemporaryDirectory(prefix="fenix-demo-") as place,
        Stage(Path(place), hosts) as stage,
    ):
        _perform(stage, workflow)
        if keep:
            _keep(stage)


def _perform(stage: "Stage", workflow: str) -> None:
    from fenix.cli.demo.summary import introduction, summary
    from fenix.cli.demo.truth import problems
    from fenix.cli.output import console
    from fenix.cli.watching import follow

    target = console()
    target.print(introduction(stage))
    before = stage.instances()
    ident = stage.client.create_session(session_body(workflow))
    follow(stage.client, ident, interval=0.25, patience=10)
    detail = stage.client.detail(ident)
    found = problems(stage, detail, before)
    target.print(summary(stage, detail, found))
    if found:
        raise CommandFailed(f"the demo has failed: {'; '.join(found)}\n{stage.manager_log()}")


def session_body(workflow: str) -> dict[str, Any]:
    """The session that is asked for."""
    from fenix.cli.demo.work import COMMAND
    from fenix.cli.session_request import start_time

    return {
        "state": "MAINTENANCE",
        "workflow": workflow,
        "maintenance_at": start_time(NOTICE),
        "metadata": {"openstack_version": "2026.2"},
        "actions": [{"plugin": "command", "type": "host", "metadata": {"command": COMMAND}}],
        "options": OPTIONS,
    }


def _keep(stage: "Stage") -> None:
    from fenix.cli.demo.work import COMMAND

    typer.echo(
        f"\nIt goes on running, until Ctrl-C. In another terminal:\n\n"
        f"  export FENIX_URL={stage.api_url}\n"
        f"  {sys.executable} -m fenix.cli session list\n"
        f"  {sys.executable} -m fenix.cli session create --workflow vnf --at +5s "
        f'--action \'command:host:{{"command": "{COMMAND}"}}\' --watch\n'
        f"  curl {stage.cloud_url}/events     # what really happens in the cloud\n"
    )
    with suppress(KeyboardInterrupt):
        stage.wait()


@contextmanager
def _as_interrupt(number: int) -> Iterator[None]:
    """Lets a signal end us as Ctrl-C does, so that nothing is left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)
