"""Builds what the configuration names: database, cloud, channels, and how actions are run."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oslo_config import cfg

from fenix.actions.process import ProcessRunner
from fenix.api import ApiSettings, Services, authenticator
from fenix.clouds import Cloud
from fenix.config import ConfigurationError, engine_options, load
from fenix.engine import EngineSettings, Tools
from fenix.messaging import Channel
from fenix.service.clock import utc_now
from fenix.service.errors import CannotStart, explained
from fenix.store import Database

_FOR_ACTIONS = ("FENIX_COMMAND_DIR",)
"""Variables of the service's environment that action plug-ins get as well."""


@dataclass(frozen=True)
class Parts:
    """Everything that an API or an engine works with."""

    conf: cfg.ConfigOpts
    database: Database
    cloud: Cloud
    channels: Sequence[Channel]

    def tools(self) -> Tools:
        """What an engine gets.

        Raises:
            CannotStart: the directory for actions can't be used.
        """
        with explained(OSError, what="[DEFAULT] state_path"):
            runner = ProcessRunner(
                Path(self.conf.state_path).absolute(),
                {name: os.environ[name] for name in _FOR_ACTIONS if name in os.environ},
            )
        settings = EngineSettings(**engine_options(self.conf))
        return Tools(self.database, self.cloud, self.channels, runner, utc_now, settings)

    def services(self, wake: Callable[[], None] | None) -> Services:
        """What the API gets.

        Args:
            wake: wakes the engine in this process; None: there is none.
        """
        return Services(
            database=self.database,
            cloud=self.cloud,
            channels=self.channels,
            authenticator=authenticator(self.conf),
            now=utc_now,
            wake=wake or (lambda: None),
            settings=ApiSettings.from_config(self.conf),
        )

    async def close(self) -> None:
        """Frees connections and threads."""
        for channel in self.channels:
            await channel.close()
        await self.cloud.close()
        self.database.close()


def read_config(files: Sequence[Path] = (), directories: Sequence[Path] = ()) -> cfg.ConfigOpts:
    """Reads the configuration.

    Args:
        files: configuration files; none: where oslo.config looks for "fenix".
        directories: directories of configuration files, which win over `files`.

    Raises:
        CannotStart: it can't be read, or can't work.
    """
    argv = [word for file in files for word in ("--config-file", str(file))]
    argv += [word for directory in directories for word in ("--config-dir", str(directory))]
    with explained(ConfigurationError, OSError):
        return load(argv)


def open_database(conf: cfg.ConfigOpts) -> Database:
    """The configured database; for SQLite, the directory of its file is made.

    Raises:
        CannotStart: the URL is no such thing, or its driver is not installed.
    """
    with explained(Exception, what="[database] connection"):
        database = Database(conf.database.connection)
        if database.embedded and database.url.database not in (None, "", ":memory:"):
            Path(str(database.url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)
    return database


def build(conf: cfg.ConfigOpts, cloud: Cloud | None = None) -> Parts:
    """Makes all parts; asks nobody anything yet.

    Args:
        cloud: to be used instead of the configured one.

    Raises:
        CannotStart: one of them can't be made as configured.
    """
    database = open_database(conf)
    if cloud is None:
        cloud = _made("fenix.clouds", conf.cloud, conf, "[DEFAULT] cloud")
    channels = [_made("fenix.channels", name, conf, "[DEFAULT] channels") for name in conf.channels]
    return Parts(conf, database, cloud, channels)


def _made(group: str, name: str, conf: cfg.ConfigOpts, option: str) -> Any:
    """What the entry point of a name makes."""
    installed = {entry.name: entry for entry in entry_points(group=group)}
    if name not in installed:
        allowed = ", ".join(sorted(installed))
        raise CannotStart(f"{option}: {name!r} is not valid; allowed: {allowed}")
    # A driver may be anybody's code; whatever it says about its settings is for the operator.
    with explained(Exception, what=f"{option}: {name!r}"):
        return installed[name].load()(conf)
