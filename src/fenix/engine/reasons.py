"""Turns what a workflow raised into the reason that the operator reads."""

from fenix.store import LeaseLost
from fenix.workflows import SessionFailed


def leaves(error: BaseException) -> list[BaseException]:
    """The errors inside nested exception groups, in their order."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def lost_lease(error: BaseException) -> bool:
    """Whether an error is, or contains, the loss of the lease."""
    return any(isinstance(leaf, LeaseLost) for leaf in leaves(error))


def reason(error: BaseException) -> str:
    """One line: what the workflow gave as reasons, else the kind and text of the error."""
    found = leaves(error)
    told = [str(leaf) for leaf in found if isinstance(leaf, SessionFailed)]
    texts = told or [f"{type(leaf).__name__}: {leaf}" for leaf in found]
    return "; ".join(dict.fromkeys(texts))


def expected(error: BaseException) -> bool:
    """Whether all of it is a workflow's own decision to fail, and no fault of the program."""
    return all(isinstance(leaf, SessionFailed) for leaf in leaves(error))
