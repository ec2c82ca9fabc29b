"""The supervisor of one run of a plug-in: ``python -m fenix.actions.child RUN_DIRECTORY``.

It is a process of its own, so that a run goes on, within its limits, when the engine dies, and
its outcome is found by the next one. It forks, the plug-in runs in the child; the supervisor keeps
the time limit and the log, and writes the result. It must start fast: import little here.
"""

import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fenix.actions.base import ActionFailed, ActionRequest, ActionResult
from fenix.actions.descendants import adopt_orphans, end_descendants, reap
from fenix.actions.plugins import check
from fenix.actions.rundir import RunDirectory
from fenix.actions.tail import Tail, readable

_CHUNK = 64 << 10
_LONGEST_REASON = 2000  # characters; so that a report fits into a pipe that nobody reads yet
_LONGEST_POLL = 3600.0


def main() -> None:
    """Supervises the run whose directory is named on the command line.

    Its standard input is the run's lock, handed over by the engine.
    """
    lock = os.dup(0)  # not inheritable by what is executed
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.chdir("/")
    run = RunDirectory(Path(sys.argv[1]))
    request, entry_point = run.read_request()
    adopt_orphans()
    output, printing = os.pipe()
    report, reporting = os.pipe()
    plugin = os.fork()
    if plugin == 0:
        for inherited in (lock, output, report):
            os.close(inherited)
        _run_plugin(run, request, entry_point, printing, reporting)
    os.close(printing)
    os.close(reporting)
    run.write_result(_supervise(run, request, plugin, output, report))


def _run_plugin(
    run: RunDirectory, request: ActionRequest, entry_point: str, printing: int, reporting: int
) -> None:
    """The plug-in's side of the fork; does not return."""
    os.setsid()
    plugin = os.getpid()
    os.dup2(printing, 1)
    os.dup2(printing, 2)
    os.close(printing)
    error = None
    try:
        # So that lines come out in order, whoever prints them, and nothing can't be printed.
        sys.stdout, sys.stderr = (
            open(number, "w", 1, "utf-8", "backslashreplace")  # noqa: SIM115
            for number in (1, 2)
        )
        module, _, name = entry_point.partition(":")
        action = check(getattr(importlib.import_module(module), name), request.plugin)
        run.write_begun(action.rerun_safe)
        action().run(request)
    except BaseException as failure:
        if not isinstance(failure, ActionFailed):
            traceback.print_exc()
        error = (str(failure) or type(failure).__name__)[:_LONGEST_REASON]
    with suppress(OSError):
        sys.stdout.flush()
    if os.getpid() == plugin:  # not a fork of it that has come back here
        os.write(reporting, json.dumps({"error": error}).encode())
    os._exit(0)


def _supervise(
    run: RunDirectory, request: ActionRequest, plugin: int, output: int, report: int
) -> ActionResult:
    log = Tail(run.log)
    status = _follow(log, plugin, output, time.monotonic() + request.time_limit)
    survivors = end_descendants()
    for data in _rest(output):
        log.write(data)
    if survivors:
        log.write(f"[processes {survivors} can't be ended]\n".encode())
    log.close()
    return ActionResult(_reason(request, status, report), log.text())


def _follow(log: Tail, plugin: int, output: int, deadline: float) -> int | None:
    """Takes in what the plug-in prints until it ends.

    Returns:
        The plug-in's wait status; None: the time was over before.
    """
    news, ending = os.pipe()
    os.set_blocking(ending, False)
    signal.set_wakeup_fd(ending, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # what counts is the byte in the pipe
    poll = select.poll()
    poll.register(output, select.POLLIN)
    poll.register(news, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        ended = reap()
        if plugin in ended:
            return ended[plugin]
        ready = {number for number, _ in poll.poll(min(left, _LONGEST_POLL) * 1000)}
        if news in ready:
            os.read(news, _CHUNK)
        if output in ready:
            data = os.read(output, _CHUNK)
            log.write(data)
            if not data:
                poll.unregister(output)  # it has closed its output, and works on
    return None


def _rest(pipe: int) -> Iterator[bytes]:
    """What is still in a pipe; bounded, since a process that can't be ended may go on printing."""
    os.set_blocking(pipe, False)
    for _ in range(16):  # the largest pipe has 1 MiB
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            return
        yield data


def _reason(request: ActionRequest, status: int | None, report: int) -> str | None:
    """Why the run has failed; None: it has not."""
    if status is None:
        return f"it did not end within its time limit of {request.time_limit:g} s"
    told = b"".join(_rest(report))
    if told:
        error = json.loads(told)["error"]
        return None if error is None else readable(error.encode("utf-8", "replace"))
    if os.WIFSIGNALED(status):
        return f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"it ended by itself, with exit code {os.WEXITSTATUS(status)}, instead of returning"


if __name__ == "__main__":
    main()
