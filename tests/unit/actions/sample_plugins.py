# ruff: noqa: T201
"""Plug-ins that behave badly, each in its own way; installed by a fixture of conftest.py."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from fenix.actions import Action, ActionRequest


def note(request: ActionRequest) -> None:
    """Adds a line to the file ``notes``: the run has come this far."""
    with Path(request.metadata["notes"]).open("a") as notes:
        notes.write(f"{os.getpid()}\n")


class Gated(Action):
    """Goes on when someone opens the named pipe ``gate`` for writing."""

    def run(self, request: ActionRequest) -> None:
        print("before the gate")
        note(request)
        with Path(request.metadata["gate"]).open() as gate:
            print("through the gate", gate.read())


class GatedSafe(Gated):
    rerun_safe = True


class Hanging(Action):
    """Starts a program, and waits for ever."""

    def run(self, request: ActionRequest) -> None:
        program = subprocess.Popen(["sleep", "1000"])
        print("started", program.pid)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            signal.pause()


class Leaving(Action):
    """Leaves programs behind: in its own group, in groups of their own, and daemons."""

    def run(self, request: ActionRequest) -> None:
        daemon = "import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); "
        wait = "import os, signal; print(os.getpid(), flush=True); os.close(1); signal.pause()"
        for code, own_session in ((wait, False), (wait, True), (daemon + wait, False)):
            program = subprocess.Popen(
                [sys.executable, "-c", code], start_new_session=own_session, stdout=subprocess.PIPE
            )
            assert program.stdout is not None
            with Path(request.metadata["notes"]).open("ab") as notes:
                notes.write(program.stdout.readline())


class Breeding(Action):
    """Leaves a program behind that is another process each time one looks."""

    def run(self, request: ActionRequest) -> None:
        code = """
import os
os.setsid()
print(os.getpid(), flush=True)
os.close(1)
for _ in range(20_000):
    if os.fork():
        os._exit(0)
"""
        program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert program.stdout is not None
        print("its group is", int(program.stdout.readline()))


class Orphaning(Action):
    """Makes a hundred orphans that end at once; says how many its supervisor still has."""

    def run(self, request: ActionRequest) -> None:
        for _ in range(100):
            child = os.fork()
            if child == 0:
                os.fork()
                os._exit(0)
            os.waitpid(child, 0)
        parent = os.getppid()
        print(len(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


class Forking(Action):
    """Its copies come back from `run`, too."""

    def run(self, request: ActionRequest) -> None:
        for _ in range(6):
            os.fork()
        if os.getpid() != os.getpgrp():
            return
        for _ in range(3):
            print("done")


class Flooding(Action):
    """Prints 1 GB."""

    def run(self, request: ActionRequest) -> None:
        lines = (b"x" * 1023 + b"\n") * 1024
        with open(1, "wb", closefd=False) as out:
            for _ in range(1024):
                out.write(lines)
        print("the end")


class Printing(Action):
    """Prints what is hard to keep."""

    def run(self, request: ActionRequest) -> None:
        print("surrogate \ud800")
        print("to stderr", file=sys.stderr)
        os.write(1, b"nul \0, no UTF-8 \xff\n")
        subprocess.run(["echo", "from a program"])
        print("end")


class Environment(Action):
    """Prints its environment and its file descriptors."""

    def run(self, request: ActionRequest) -> None:
        for name, value in os.environ.items():
            print(f"{name}={value}")
        print("input:", os.read(0, 1))


class Killed(Action):
    def run(self, request: ActionRequest) -> None:
        print("so far")
        os.kill(os.getpid(), signal.SIGKILL)


class Pretending(Action):
    """Pretends to have succeeded."""

    def run(self, request: ActionRequest) -> None:
        os._exit(0)


class Exiting(Action):
    def run(self, request: ActionRequest) -> None:
        sys.exit()


class Raising(Action):
    def run(self, request: ActionRequest) -> None:
        raise ValueError(request.metadata["text"])


class NoAction:
    """Not derived from Action."""
