"""Finds installed action plug-ins: entry points in group ``fenix.actions``."""

from functools import cache
from importlib.metadata import entry_points

from fenix.actions.base import Action
from fenix.domain import InvalidField

GROUP = "fenix.actions"


@cache
def load_action(name: str, field: str = "plugin") -> type[Action]:
    """The class of an action plug-in.

    Args:
        field: what the caller calls the name.

    Raises:
        InvalidField: none of that name is installed.
    """
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in installed:
        known = ", ".join(sorted(installed))
        raise InvalidField(field, name, f"an installed action plug-in: {known}")
    found: type[Action] = installed[name].load()
    return found
