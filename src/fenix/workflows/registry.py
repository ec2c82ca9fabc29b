"""Finds installed workflows: entry points in group ``fenix.workflows``."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points

from fenix.domain import InvalidField
from fenix.workflows.base import Workflow

GROUP = "fenix.workflows"


def names() -> Sequence[str]:
    """The names of all installed workflows."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


@cache
def load(name: str) -> type[Workflow]:
    """The workflow of a name.

    Raises:
        InvalidField: none of that name is installed.
    """
    for entry in entry_points(group=GROUP, name=name):
        found: type[Workflow] = entry.load()
        return found
    raise InvalidField("workflow", name, f"an installed workflow: {', '.join(names())}")
