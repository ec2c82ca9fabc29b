"""Bring in what the devcloud is made of: three Debian packages and one virtual environment.

OpenStack comes from PyPI at the versions of requirements.lock, without dependency resolution: there
is no constraints file on PyPI, so resolving again another day would give another cloud.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcloud.commands import run
from devcloud.console import DevcloudError, say
from devcloud.settings import PACKAGE, Settings

LOCK = PACKAGE / "requirements.lock"
UV = "uv==0.13.9"
MARIADBD = Path("/usr/sbin/mariadbd")
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

_PROGRAMS = {
    "mariadb-server": MARIADBD,
    "mariadb-client": Path("/usr/bin/mariadb"),
    "rabbitmq-server": RABBITMQ,
}
_POLICY = Path("/usr/sbin/policy-rc.d")


def install(settings: Settings) -> None:
    """Install what is missing; nothing when all is there."""
    debian_packages()
    virtual_environment(settings.venv, LOCK)


def debian_packages() -> None:
    """Install the database and the message broker, without letting Debian start them.

    Raises:
        DevcloudError: something is missing and cannot be installed; says what.
    """
    missing = [package for package, program in _PROGRAMS.items() if not program.exists()]
    if not missing:
        return
    wanted = f"the Debian packages {', '.join(missing)} are missing"
    if not shutil.which("apt-get"):
        raise DevcloudError(f"{wanted}, and there is no apt-get: the devcloud needs Debian 12")
    if os.geteuid() != 0:
        raise DevcloudError(
            f"{wanted}: run as root, once, `python3 -m devcloud install`"
            f" or `apt-get install --no-install-recommends {' '.join(missing)}`"
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_daemons():
        try:
            run(["apt-get", "update", "-qq"], extra=quiet)
            run(
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
                extra=quiet,
                seconds=1200,
            )
        except DevcloudError as error:
            raise DevcloudError(f"{wanted}, and apt could not get them.\n{error}") from None
    say(f"installed {', '.join(missing)}")


def is_current(venv: Path, lock: Path) -> bool:
    """True if that environment was made from that lock by this Python version."""
    stamp = _stamp(venv)
    return stamp.exists() and stamp.read_text() == _fingerprint(lock)


def virtual_environment(venv: Path, lock: Path) -> None:
    """Make a virtual environment from a lock file, unless it is current.

    Raises:
        DevcloudError: Python is too old, or the package index cannot be reached.
    """
    if is_current(venv, lock):
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - the driver may be started by any Python
        raise DevcloudError("the devcloud needs Python 3.11 or newer")
    python = venv / "bin" / "python"
    try:
        run([sys.executable, "-m", "venv", "--clear", venv])
        run([venv / "bin" / "pip", "install", "-q", UV])
        # Byte-compiled now, or the first start would do it, of each service at the same time.
        options = ["-q", "--no-deps", "--compile-bytecode", "--python", python, "-r", lock]
        run([venv / "bin" / "uv", "pip", "install", *options], seconds=1800)
    except DevcloudError as error:
        raise DevcloudError(
            f"could not make {venv} from {lock.name}: is the package index reachable?\n{error}"
        ) from None
    _stamp(venv).write_text(_fingerprint(lock))
    say(f"installed {venv}")


def _stamp(venv: Path) -> Path:
    return venv / ".devcloud"


def _fingerprint(lock: Path) -> str:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{sys.version_info.major}.{sys.version_info.minor} {digest}"


@contextmanager
def _no_daemons() -> Iterator[None]:
    """Debian's packages start their daemons on installation unless this file says no."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
