"""Fenix: rolling maintenance of clouds while the applications on them keep running."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("fenix-maintenance")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0.0.0"
