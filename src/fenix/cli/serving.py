"""`fenix serve`, `fenix api` and `fenix engine`: the service itself."""

import typer

from fenix.cli.errors import reported
from fenix.cli.parameters import ConfigDirs, ConfigFiles


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("serve")(serve)
    app.command("api")(api)
    app.command("engine")(engine)


def serve(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Run the API and an engine in one process."""
    _run(config_file, config_dir, api=True, engine=True)


def api(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Run the API alone; any number may share a database."""
    _run(config_file, config_dir, api=True, engine=False)


def engine(config_file: ConfigFiles = None, config_dir: ConfigDirs = None) -> None:
    """Run an engine alone; any number may share a database."""
    _run(config_file, config_dir, api=False, engine=True)


def _run(files: ConfigFiles, directories: ConfigDirs, *, api: bool, engine: bool) -> None:
    from fenix import service

    with reported(service.CannotStart):
        conf = service.read_config(files or (), directories or ())
        service.set_up_log(conf)
        parts = service.build(conf)
        service.run_until_signalled(lambda stop: service.run(parts, stop, api=api, engine=engine))
