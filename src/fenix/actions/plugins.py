"""Finds the action plug-ins that are installed: entry points in group ``fenix.actions``."""

from importlib.metadata import EntryPoint, entry_points

from fenix.actions.base import Action
from fenix.domain import InvalidField

GROUP = "fenix.actions"


def names() -> list[str]:
    """The names of all installed action plug-ins, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find(name: str, field: str = "plugin") -> EntryPoint:
    """Where an action plug-in is, without importing it.

    Args:
        field: what the caller calls the name.

    Raises:
        InvalidField: none of that name is installed.
    """
    for entry in entry_points(group=GROUP, name=name):
        return entry
    raise InvalidField(field, name, f"an installed action plug-in: {', '.join(names())}")


def load(name: str, field: str = "plugin") -> type[Action]:
    """The class of an action plug-in.

    Args:
        field: what the caller calls the name.

    Raises:
        InvalidField: none of that name is installed.
        TypeError: what is installed under the name is no action.
    """
    return check(find(name, field).load(), name)


def check(found: object, name: str) -> type[Action]:
    """What a plug-in's name led to, known to be an action.

    Raises:
        TypeError: it is none.
    """
    if isinstance(found, type) and issubclass(found, Action):
        return found
    raise TypeError(f"action plug-in {name!r} is {found!r}; allowed: a subclass of {Action!r}")
