"""One kind of error for all that keeps the service from starting, so that nobody sees a trace."""

from collections.abc import Iterator
from contextlib import contextmanager


class CannotStart(Exception):
    """The service can't start; the text says what to change."""


@contextmanager
def explained(*expected: type[Exception], what: str = "") -> Iterator[None]:
    """Turns errors that an operator can do something about into `CannotStart`.

    Args:
        expected: the kinds of errors.
        what: the beginning of the text.
    """
    try:
        yield
    except expected as error:
        text = str(error) or type(error).__name__
        raise CannotStart(f"{what}: {text}" if what else text) from error
