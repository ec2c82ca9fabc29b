"""`fenix serve`, `fenix api` and `fenix engine`: the service itself, and who works on what."""

from typing import Annotated, Any

import typer

from fenix.cli.errors import reported
from fenix.cli.parameters import AsJson, ConfigDirs, ConfigFiles, OsCloud, Url

engines = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("serve")(serve)
    app.command("api")(api)
    app.add_typer(engines, name="engine")


def serve(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Run the API and an engine in one process."""
    _run(config_file, config_dir, api=True, engine=True)


def api(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Run the API alone; any number may share a database."""
    _run(config_file, config_dir, api=True, engine=False)


@engines.callback()
def engine(
    context: typer.Context,
    config_file: ConfigFiles = None,
    config_dir: ConfigDirs = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Instead of option port in group metrics; 0: any free one.",
        ),
    ] = None,
) -> None:
    """Run an engine alone; any number may share a database. Or ask the API who works on what."""
    if context.invoked_subcommand is None:
        _run(config_file, config_dir, api=False, engine=True, metrics_port=metrics_port)


@engines.command("list")
def list_engines(url: Url = None, os_cloud: OsCloud = None, as_json: AsJson = False) -> None:
    """List the engines, whether they live, and which sessions each of them works on."""
    from fenix.cli.client import connect
    from fenix.cli.output import console, print_json, table

    with connect(url, os_cloud) as client:
        found = client.engines()
    if as_json:
        print_json(found)
        return
    rows = [
        [one["id"], one["hostname"], one["pid"], one["version"], one["seen_at"],
         "yes" if one["alive"] else "no", _sessions(one["sessions"])]
        for one in found["engines"]
    ]  # fmt: skip
    if found["unowned"]:
        rows.append([None] * 6 + [_sessions(found["unowned"])])
    columns = ("engine", "machine", "pid", "version", "seen at", "alive", "sessions (epoch)")
    console().print(table("", columns, rows))


def _sessions(leases: list[dict[str, Any]]) -> str:
    return "\n".join(f"{one['session_id']} {one['state']} ({one['epoch']})" for one in leases)


def _run(
    files: ConfigFiles,
    directories: ConfigDirs,
    *,
    api: bool,
    engine: bool,
    metrics_port: int | None = None,
) -> None:
    from fenix import service

    with reported(service.CannotStart):
        conf = service.read_config(files or (), directories or ())
        if metrics_port is not None:
            conf.set_override("port", metrics_port, "metrics")
        service.set_up_log(conf)
        parts = service.build(conf)
        service.run_until_signalled(lambda stop: service.run(parts, stop, api=api, engine=engine))
