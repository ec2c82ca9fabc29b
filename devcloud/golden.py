"""The golden image: a copy of a cloud that was set up once, to start the next ones from.

Setting up takes half a minute, copying it back a fraction of a second. The image carries a
fingerprint of everything that made it, so that it is made again when one of those changes.
"""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from devcloud.commands import run
from devcloud.settings import INSIDE, PACKAGE, Settings

_FINGERPRINT = "fingerprint"
_KEPT = ("mysql", "glance", "etc/keystone/fernet-keys", "etc/keystone/credential-keys")
_MAKERS = (
    "requirements.lock",
    "settings.py",
    "ini.py",
    "configuration",
    "databases.py",
    "bootstrap.py",
    "catalog.py",
)


def fingerprint(settings: Settings) -> str:
    """A digest of the package versions, the configuration and the set-up code.

    The root and the ports belong to it because the databases hold paths and URLs.
    """
    makers = [*(PACKAGE / name for name in _MAKERS), INSIDE]
    return digest(makers, f"{settings.root} {settings.ports}")


def digest(paths: Iterable[Path], extra: str = "") -> str:
    """SHA-256 over the names and contents of files and of all files in folders."""
    total = hashlib.sha256(extra.encode())
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if file.suffix != ".pyc":
                total.update(f"\0{file.relative_to(path.parent)}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()


def is_current(settings: Settings) -> bool:
    """True if there is an image and nothing that made it has changed."""
    return _stamp(settings.golden) == fingerprint(settings)


def run_is_current(settings: Settings) -> bool:
    """True if the running cloud was started from such an image, or if there is no cloud."""
    return not settings.run.exists() or _stamp(settings.run) == fingerprint(settings)


def save(settings: Settings) -> None:
    """Make the image from a cloud whose services have been stopped."""
    new = settings.golden.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    for name in _KEPT:
        target = new / name
        target.parent.mkdir(parents=True, exist_ok=True)
        run(["cp", "-a", settings.run / name, target])
    (new / _FINGERPRINT).write_text(fingerprint(settings))
    remove(settings)
    new.rename(settings.golden)


def restore(settings: Settings) -> None:
    """Copy the image, its fingerprint included, to where a cloud runs."""
    settings.run.mkdir(parents=True, exist_ok=True)
    run(["cp", "-a", "--reflink=auto", f"{settings.golden}/.", settings.run])


def remove(settings: Settings) -> None:
    shutil.rmtree(settings.golden, ignore_errors=True)


def _stamp(folder: Path) -> str | None:
    path = folder / _FINGERPRINT
    return path.read_text() if path.exists() else None
