"""Refuses requests that name a workflow or an action plug-in which is installed and broken.

Like one that is not installed: the request can't be carried out as it is. The log says why.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from fenix.actions import Action, plugins
from fenix.domain import InvalidField
from fenix.workflows import Workflow, registry

log = logging.getLogger(__name__)

T = TypeVar("T")


def load_workflow(name: str) -> type[Workflow]:
    """The class of a workflow.

    Raises:
        InvalidField: none of that name is installed, or it can't be loaded.
    """
    return _loaded("workflow", name, lambda: registry.load(name))


@cache
def load_action(name: str, field: str = "plugin") -> type[Action]:
    """The class of an action plug-in.

    Args:
        field: what the caller calls the name.

    Raises:
        InvalidField: none of that name is installed, or it can't be loaded.
    """
    return _loaded(field, name, lambda: plugins.load(name, field))


def _loaded(field: str, name: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except InvalidField:
        raise
    except Exception as error:
        log.exception("%s: %s is installed, and can't be loaded", field, name)
        raise InvalidField(field, name, f"one that can be loaded, but: {error}") from error
