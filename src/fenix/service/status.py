"""`fenix-status upgrade check`: whether this release can take over what another one has left.

As with the other services of OpenStack it is run with the new release, after `fenix db upgrade` and
before the services are restarted: exit code 0, 1 for warnings, 2 for what would fail.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck
from oslo_upgradecheck.upgradecheck import Code, Result
from sqlalchemy import Connection

from fenix import __version__
from fenix.actions import plugins
from fenix.messaging.secrets import GROUP, Undecipherable, secret_box
from fenix.service.clock import utc_now
from fenix.service.errors import CannotStart
from fenix.service.parts import build, open_database, read_config
from fenix.store import DatabaseUnavailable, leases, migrate, sessions, subscriptions
from fenix.workflows import registry


class Checks(upgradecheck.UpgradeCommands):
    """The checks; each stands alone, and says what to do."""

    def __init__(self, command_line: cfg.ConfigOpts) -> None:
        self._command_line = command_line

    def _conf(self) -> cfg.ConfigOpts:
        found = self._command_line
        with suppress(cfg.ConfigDirNotFoundError):
            return read_config(
                [Path(file) for file in found.config_file or ()],
                [Path(directory) for directory in found.config_dir or ()],
            )
        raise CannotStart(f"--config-dir: {found.config_dir} is not there")

    def configuration(self) -> Result:
        """The configuration can be read, and what it names is installed."""
        try:
            asyncio.run(build(self._conf()).close())
        except CannotStart as error:
            return Result(Code.FAILURE, str(error))
        return Result(Code.SUCCESS)

    def schema(self) -> Result:
        """The database's schema is the one that this release works with."""
        try:
            database = open_database(self._conf())
        except CannotStart as error:
            return Result(Code.FAILURE, str(error))
        try:
            migrate.check(database)
        except (DatabaseUnavailable, migrate.SchemaMismatch) as error:
            return Result(Code.FAILURE, str(error))
        finally:
            database.close()
        return Result(Code.SUCCESS)

    def plug_ins(self) -> Result:
        """All sessions that are to go on have their workflow and their action plug-ins."""

        def look(connection: Connection) -> Result:
            workflows, actions = registry.names(), plugins.names()
            missing = [
                f"session {one.id} needs {kind} {name}, which is not installed"
                for one in sessions.list_all(connection)
                if one.open or not one.state.ended
                for kind, name, installed in (
                    ("workflow", one.request.workflow, workflows),
                    *(("action plug-in", each.plugin, actions) for each in one.request.actions),
                )
                if name not in installed
            ]
            return Result(Code.FAILURE, "; ".join(missing)) if missing else Result(Code.SUCCESS)

        return self._looking(look)

    def keys(self) -> Result:
        """The secrets of all subscriptions can be decrypted."""

        def look(connection: Connection) -> Result:
            sealed = [one for one in subscriptions.list_all(connection) if one.secret]
            try:
                box = secret_box(self._conf())
                if sealed and box is None:
                    return Result(Code.FAILURE, f"[{GROUP}] key_file is not set, and is needed")
                for one in sealed:
                    if box and one.secret:
                        box.open(one.secret)
            except (OSError, ValueError, Undecipherable) as error:
                return Result(Code.FAILURE, str(error))
            return Result(Code.SUCCESS)

        return self._looking(look)

    def engines(self) -> Result:
        """No engine of another release is at work."""

        def look(connection: Connection) -> Result:
            silence = 2 * self._conf().engine.lease_seconds
            others = [
                f"{engine.id} is of release {engine.version}"
                for engine in leases.list_engines(connection)
                if engine.version != __version__
                and (utc_now() - engine.seen_at).total_seconds() <= silence
            ]
            if not others:
                return Result(Code.SUCCESS)
            return Result(Code.WARNING, f"restart these soon: {'; '.join(others)}")

        return self._looking(look)

    def _looking(self, look: Callable[[Connection], Result]) -> Result:
        """Looks into a database whose schema is right; nothing can be said about another."""
        if self.schema().code is not Code.SUCCESS:
            return Result(Code.WARNING, "not checked: see the schema")
        database = open_database(self._conf())
        try:
            with database.connect() as connection:
                return look(connection)
        finally:
            database.close()

    _upgrade_checks = (
        ("Configuration", configuration),
        ("Database schema", schema),
        ("Workflows and action plug-ins", plug_ins),
        ("Keys of subscriptions' secrets", keys),
        ("Engines", engines),
    )


def run(arguments: list[str]) -> int:
    """Runs the command; returns its exit code."""
    conf = cfg.ConfigOpts()
    return int(upgradecheck.main(conf, "fenix", Checks(conf), arguments))


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))
