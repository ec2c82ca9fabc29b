"""The port to clouds and a module for each kind of cloud."""

from fenix.clouds.base import (
    Cloud,
    CloudError,
    CloudUnavailable,
    MovePhase,
    MoveStatus,
    MoveTicket,
    may_act,
    on_behalf,
)

__all__ = [
    "Cloud",
    "CloudError",
    "CloudUnavailable",
    "MovePhase",
    "MoveStatus",
    "MoveTicket",
    "may_act",
    "on_behalf",
]
