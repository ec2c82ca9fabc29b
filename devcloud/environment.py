"""The environment that OpenStack's programs get: the caller's, without what would mislead them.

A test runner's PYTHONPATH or OS_CLOUD must not reach Nova, and a proxy must not stand between
programs that talk over 127.0.0.1.
"""

import os
from collections.abc import Mapping

_DROPPED = ("PYTHON", "OS_", "VIRTUAL_ENV")


def clean(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process, with `extra` set last."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
    environment |= {"LANG": "C.UTF-8", "no_proxy": "127.0.0.1,localhost"}
    return environment | dict(extra or {})
