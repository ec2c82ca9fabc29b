"""Runs action plug-ins in processes of their own that live on when the engine dies.

Each run has a directory (`fenix.actions.rundir`) and a supervisor (`fenix.actions.child`). An
engine only starts the supervisor and watches for the result; so does the next engine, that cannot
tell, and need not, whether the run is new, under way or over.
"""

import asyncio
import logging
import os
import re
import shutil
import signal
import stat
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from fenix.actions import plugins
from fenix.actions.base import ActionRequest, ActionResult
from fenix.actions.leftovers import RUN_ID, end_processes
from fenix.actions.rundir import RunDirectory
from fenix.domain import InvalidField

log = logging.getLogger(__name__)

_PASSED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|PYTHONPATH"
)
_RUN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_STARTS = 3
_GRACE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_DAY = 86400.0

_supervisors: set[int] = set()
"""Supervisors that this process has started, and has to bury."""


class ProcessRunner:
    """Runs plug-ins; a run is found again by its `run_id` on the same machine.

    Args:
        state_path: directory for the files of the runs, on a local disk.
        environment: variables for the plug-ins, besides the few that any program needs. They do
            not get the engine's own, where passwords may be.
        keep_days: age at which the files of a run are removed, when a runner is made.
    """

    def __init__(
        self,
        state_path: Path,
        environment: Mapping[str, str] = MappingProxyType({}),
        keep_days: float = 30.0,
    ) -> None:
        self._path = state_path / "actions"
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(self._path)
        self._environment = {
            name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)
        } | dict(environment)
        self._prune(time.time() - keep_days * _DAY)

    async def run(self, request: ActionRequest) -> ActionResult:
        """Runs the plug-in, or joins the run with this `run_id` that is under way or done.

        A run whose supervisor died is repeated where the plug-in is `rerun_safe` or had not
        begun; otherwise it has failed, and its error says that the outcome is not known.

        Raises:
            ValueError: the `run_id` can't name a directory.
            OSError: the state directory can't be used; what is under way goes on.
        """
        if not _RUN_ID.fullmatch(request.run_id):
            raise ValueError(
                f"run_id: {request.run_id!r} is not valid; allowed: up to 200 letters, digits, "
                "dots, dashes and underscores"
            )
        run = RunDirectory(self._path / request.run_id)
        loop = asyncio.get_running_loop()
        overdue = loop.time() + request.time_limit + _GRACE
        pause = _FIRST_PAUSE
        while True:
            result = await asyncio.to_thread(self._look, run, request)
            if result is not None:
                return result
            if loop.time() > overdue:
                # The supervisor keeps the time limit; it hangs itself. The next look finds it dead.
                log.error("the supervisor of action run %s hangs and is ended", request.run_id)
                if await asyncio.to_thread(end_processes, request.run_id):
                    return ActionResult("its supervisor hangs and can't be ended", run.read_log())
                overdue = loop.time() + _GRACE
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _look(self, run: RunDirectory, request: ActionRequest) -> ActionResult | None:
        """How the run has ended; None: it is under way, started just now if it was not."""
        _bury()
        run.create()
        with run.locked() as lock:
            result = run.read_result()
            if result is None and lock is not None:
                try:
                    result = self._start(run, request, lock)
                    if result is not None:
                        run.write_result(result)
                except OSError as error:  # no space, no processes, no permission
                    log.exception("action run %s can't be started", request.run_id)
                    result = ActionResult(f"it can't be run on this machine: {error}")
            return result

    def _start(self, run: RunDirectory, request: ActionRequest, lock: int) -> ActionResult | None:
        """Starts a run that nobody supervises, or says why it can't go on.

        Args:
            lock: holds the run's lock; the supervisor gets a copy.
        """
        starts = run.count_start()
        if starts and (survivors := end_processes(request.run_id)):
            return ActionResult(
                f"it was interrupted, and its processes {survivors} can't be ended", run.read_log()
            )
        if not run.may_run():
            return ActionResult("it was interrupted, its outcome is not known", run.read_log())
        if starts >= _STARTS:
            return ActionResult(
                f"its supervisor died {starts} times: {run.read_errors() or 'it did not say why'}",
                run.read_log(),
            )
        try:
            entry_point = plugins.find(request.plugin).value
        except InvalidField as error:
            return ActionResult(str(error))
        run.write_request(request, entry_point)
        self._spawn(run, request.run_id, lock)
        return None

    def _spawn(self, run: RunDirectory, run_id: str, lock: int) -> None:
        """Starts the supervisor and hands the lock over, so that there is no gap in between."""
        errors = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        supervisor = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "fenix.actions.child", str(run.path.absolute())],
            self._environment | {RUN_ID: run_id},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, lock, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(run.errors), errors, 0o600),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
        )
        _supervisors.add(supervisor)

    def _prune(self, oldest: float) -> None:
        """Removes the files of runs that ended before a time, in seconds since 1970."""
        for path in self._path.iterdir():
            if path.is_dir() and path.stat().st_mtime < oldest:
                with RunDirectory(path).locked() as lock:
                    if lock is not None:
                        shutil.rmtree(path, ignore_errors=True)


def _check_private(path: Path) -> None:
    """Refuses a directory in which others could put requests: what they name is run.

    Raises:
        PermissionError: it is a link, another user's, or others may write to it.
    """
    found = path.lstat()
    if found.st_uid != os.geteuid() or stat.S_ISLNK(found.st_mode) or found.st_mode & 0o022:
        raise PermissionError(
            f"{path} is not safe; allowed: a directory of this process's user, no link to one, to "
            "which nobody else may write"
        )


def _bury() -> None:
    """Takes note of the supervisors that have ended, so that they do not stay as zombies."""
    for pid in list(_supervisors):
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _supervisors.discard(pid)
