"""The two kinds of failure that a manager has to tell apart.

Everything that it does can be done again, so what is only unavailable is simply tried again; what
was refused will be refused again, and becomes a NACK.
"""


class ManagerError(Exception):
    """Base of the errors that the manager expects."""


class Unavailable(ManagerError):
    """The cloud or Fenix did not answer, or not now."""


class Refused(ManagerError):
    """The request itself is the problem."""
