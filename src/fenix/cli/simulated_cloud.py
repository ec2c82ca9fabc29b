"""`fenix cloud`: a cloud without hardware, in a process of its own."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from fenix.cli.errors import CommandFailed, reported


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("cloud")(cloud)


def cloud(
    scenario_file: Annotated[
        Path, typer.Argument(metavar="SCENARIO_FILE", help="The cloud, as YAML or JSON.")
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")
    ] = 12349,
) -> None:
    """Run a simulated cloud on loopback, for Fenix's driver `simulated`.

    It prints its URL when it listens, and ends on SIGTERM or Ctrl-C; it keeps nothing.
    """
    from fenix import service
    from fenix.clouds.simulated.server import create_app
    from fenix.simulation.building import build_world, schedule_faults
    from fenix.simulation.loading import BadScenario, load

    with reported(BadScenario, service.CannotStart):
        try:
            scenario = load(scenario_file)
        except OSError as error:
            raise CommandFailed(f"{scenario_file}: {error.strerror}") from error
        world = build_world(scenario)
        server = service.HttpServer(create_app(world), service.listen("127.0.0.1", port))

    async def work(stop: asyncio.Event) -> None:
        schedule_faults(scenario, world)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve())
            typer.echo(server.url)
            await stop.wait()
            server.stop()

    service.run_until_signalled(work)
