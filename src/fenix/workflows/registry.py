"""Finds installed workflows: entry points in group ``fenix.workflows``."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import entry_points

from fenix.domain import InvalidField
from fenix.workflows.base import Workflow

GROUP = "fenix.workflows"

_LENT: ContextVar[Mapping[str, type[Workflow]]] = ContextVar("_LENT", default={})  # noqa: B039


def names() -> Sequence[str]:
    """The names of all installed workflows."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def load(name: str) -> type[Workflow]:
    """The workflow of a name.

    Raises:
        InvalidField: none of that name is installed.
    """
    return _LENT.get().get(name) or _installed(name)


@contextmanager
def lent(workflows: Mapping[str, type[Workflow]]) -> Iterator[None]:
    """Lets further workflows be found by what runs within the block, and by nothing else.

    For simulations of workflows that no service should offer.
    """
    token = _LENT.set(workflows)
    try:
        yield
    finally:
        _LENT.reset(token)


@cache
def _installed(name: str) -> type[Workflow]:
    for entry in entry_points(group=GROUP, name=name):
        found: type[Workflow] = entry.load()
        return found
    raise InvalidField("workflow", name, f"an installed workflow: {', '.join(names())}")
