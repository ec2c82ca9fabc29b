"""How commands fail: one line on standard error, exit code 1, no trace."""

from collections.abc import Iterator
from contextlib import contextmanager


class CommandFailed(Exception):
    """The command could not do its work; the text says why."""


@contextmanager
def reported(*expected: type[Exception]) -> Iterator[None]:
    """Turns errors that the user can do something about into `CommandFailed`."""
    try:
        yield
    except expected as error:
        raise CommandFailed(str(error) or type(error).__name__) from error
