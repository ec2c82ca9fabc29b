"""Run a set-up command to its end, keep its output, and say clearly when it fails."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcloud import environment
from devcloud.console import DevcloudError, say


def run(
    command: Sequence[object],
    *,
    log: Path | None = None,
    extra: Mapping[str, str] | None = None,
    stdin: str | None = None,
    seconds: float = 600,
) -> str:
    """Run a command and return what it printed.

    Args:
        command: the program and its arguments.
        log: the file that the output is appended to.
        extra: added to the environment.
        stdin: the command's input.
        seconds: the limit.

    Raises:
        DevcloudError: it failed, took too long, or is not installed; with the end of its output.
    """
    words = [str(word) for word in command]
    began = time.monotonic()
    try:
        done = subprocess.run(
            words,
            env=environment.clean(extra),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise DevcloudError(f"{words[0]}: no such program; run `devcloud install`") from None
    except subprocess.TimeoutExpired:
        raise DevcloudError(f"{' '.join(words)}: not done after {seconds:g} s") from None
    if log:
        with log.open("a") as file:
            file.write(f"$ {' '.join(words)[:300]}\n{done.stdout}")
    if done.returncode:
        raise DevcloudError(
            f"{' '.join(words)}\nfailed with exit code {done.returncode}:\n{done.stdout[-3000:]}"
        )
    say(f"{time.monotonic() - began:5.2f}s  {_short(words)}")
    return done.stdout


def _short(words: Sequence[str]) -> str:
    """The command for people: file names without their folders, the first few words."""
    return " ".join(word.rsplit("/", 1)[-1] for word in words[:5])[:80]
