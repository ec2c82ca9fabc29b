"""Builds what the configuration names: database, cloud, channels, and how actions are run."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oslo_config import cfg

from fenix.actions.command import DIRECTORY as COMMAND_DIR
from fenix.actions.process import ProcessRunner
from fenix.api import ApiSettings, BadPolicy, Policy, Rates, Services, authenticator
from fenix.clouds import Cloud
from fenix.config import ConfigurationError, engine_options, load
from fenix.engine import EngineSettings, Tools
from fenix.messaging import Channel
from fenix.messaging.secrets import secret_box
from fenix.service.clock import utc_now
from fenix.service.errors import CannotStart, explained
from fenix.store import Database


@dataclass(frozen=True)
class Parts:
    """Everything that an API or an engine works with."""

    conf: cfg.ConfigOpts
    database: Database
    cloud: Cloud
    channels: Sequence[Channel]
    _closing: ExitStack = field(default_factory=ExitStack)

    def tools(self) -> Tools:
        """What an engine gets.

        Raises:
            CannotStart: the directory for actions can't be used.
        """
        commands = self.conf.command_dir
        with explained(OSError, what="[DEFAULT] state_path"):
            runner = ProcessRunner(
                Path(self.conf.state_path).absolute(),
                {COMMAND_DIR: str(Path(commands).absolute())} if commands else {},
            )
        settings = EngineSettings(**engine_options(self.conf))
        return Tools(self.database, self.cloud, self.channels, runner, utc_now, settings)

    def services(self, wake: Callable[[], None] | None) -> Services:
        """What the API gets.

        Args:
            wake: wakes the engine in this process; None: there is none.

        Raises:
            CannotStart: the policy files, or the keys of subscriptions' secrets, can't be used.
        """
        settings = ApiSettings.from_config(self.conf)
        with explained(BadPolicy, what="[oslo_policy]"):
            policy = Policy(self.conf, settings.admin_project_id)
        with explained(ValueError, OSError):
            secrets = secret_box(self.conf)
        checks = authenticator(self.conf)
        self._closing.callback(checks.close)
        return Services(
            database=self.database,
            cloud=self.cloud,
            channels=self.channels,
            authenticator=checks,
            now=utc_now,
            wake=wake or (lambda: None),
            settings=settings,
            policy=policy,
            rates=Rates(self.conf.api.requests_per_second, self.conf.api.requests_burst),
            secrets=secrets,
        )

    async def close(self) -> None:
        """Frees connections and threads."""
        self._closing.close()
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
            file = Path(str(database.url.database)).absolute()
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)  # SQLite would let everybody read it
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
