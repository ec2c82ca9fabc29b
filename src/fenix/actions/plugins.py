"""Finds the action plug-ins that are installed: entry points in group ``fenix.actions``."""

from importlib.metadata import EntryPoint, entry_points

from fenix.actions.base import Action
from fenix.domain import InvalidField

GROUP = "fenix.actions"


def names() -> list[str]:
    """The names of all installed action plug-ins, sorted."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find(name: str) -> EntryPoint:
    """Where an action plug-in is, without importing it.

    Raises:
        InvalidField: none of that name is installed.
    """
    for entry in entry_points(group=GROUP, name=name):
        return entry
    raise InvalidField("plugin", name, f"an installed action plug-in: {', '.join(names())}")


def load(name: str) -> type[Action]:
    """The class of an action plug-in.

    Raises:
        InvalidField: none of that name is installed.
        TypeError: what is installed under the name is no action.
    """
    return check(find(name).load(), name)


def check(found: object, name: str) -> type[Action]:
    """What a plug-in's name led to, known to be an action.

    Raises:
        TypeError: it is none.
    """
    if isinstance(found, type) and issubclass(found, Action):
        return found
    raise TypeError(f"action plug-in {name!r} is {found!r}; allowed: a subclass of {Action!r}")
