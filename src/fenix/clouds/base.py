"""The port to a cloud: what Fenix needs of one, and no more.

A driver decides nothing. It reads in bulk, starts what it is told to start, and says how moves
stand. Drivers are entry points in group ``fenix.clouds``: a callable that takes the configuration
(oslo.config's ``ConfigOpts``), registers its own options there, and returns a `Cloud`.
"""

from collections.abc import Callable, Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from fenix.domain import Inventory, MoveAction

on_behalf: ContextVar[str] = ContextVar("on_behalf", default="")
"""For whom the cloud is called, for drivers that can tell it: session, engine and epoch."""

may_act: ContextVar[Callable[[], bool]] = ContextVar("may_act", default=lambda: True)
"""Whether the caller still owns what it acts for. A call may wait long, for a thread or for an
answer that it needs first; a driver asks right before each request that changes something, and
raises `CloudUnavailable` instead of sending it. It may be asked in any thread."""


class CloudError(Exception):
    """The cloud refused, and would refuse again: the request itself is the problem."""


class CloudUnavailable(Exception):
    """The cloud did not answer, or not now; the same call may work later."""


@dataclass(frozen=True, slots=True)
class MoveTicket:
    """Names one move for questions about it.

    Attributes:
        started_at: naive UTC, when the move was intended; the cloud starts it later.
        known: ids of earlier moves of the same instance: they are not meant.
    """

    instance_id: str
    action: MoveAction
    source: str
    target: str | None
    started_at: datetime
    known: frozenset[str] = frozenset()


class MovePhase(StrEnum):
    """How a move stands in the cloud."""

    NOT_STARTED = "NOT_STARTED"
    RUNNING = "RUNNING"
    AWAITING_CONFIRM = "AWAITING_CONFIRM"
    DONE = "DONE"
    FAILED = "FAILED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class MoveStatus:
    """The answer about one move.

    Attributes:
        phase: GONE means that the instance does not exist any more.
        host: where the instance runs now.
        cloud_id: the cloud's id of the move, when there is one.
        detail: the cloud's words about a failure.
    """

    instance_id: str
    phase: MovePhase
    host: str | None = None
    cloud_id: str | None = None
    detail: str = ""


class Cloud(Protocol):
    """A cloud under maintenance. All methods raise `CloudError` or `CloudUnavailable`."""

    async def inventory(self) -> Inventory:
        """All hosts, instances and groups, as they are now, in a few bulk reads."""
        ...

    async def inventory_of(self, host: str) -> Inventory:
        """One host and the instances on it, without their groups, as they are now.

        For a small part of what `inventory` costs: each host is looked at before it is worked on.

        Returns:
            An inventory without hosts where the cloud does not have this one.
        """
        ...

    async def disable_host(self, host: str, reason: str) -> bool:
        """Lets the scheduler place nothing on the host any more.

        Returns:
            Whether this call, or an earlier one with the same reason, disabled it; False when
            somebody else had, and then nothing is changed.
        """
        ...

    async def enable_host(self, host: str, reason: str) -> bool:
        """Undoes `disable_host` with the same reason.

        Returns:
            Whether the host is enabled now; False when it is disabled with another reason, and
            then nothing is changed.
        """
        ...

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        """Starts a MIGRATE or LIVE_MIGRATE, to `target` or where the scheduler likes best.

        That the cloud accepts says nothing about success: see `watch_moves`.
        """
        ...

    async def confirm_move(self, instance_id: str) -> None:
        """Confirms a move that is AWAITING_CONFIRM; no error where it is confirmed already."""
        ...

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """How moves stand, in a fixed number of bulk reads.

        Args:
            wait: seconds to wait for a change first; 0 asks now. A driver may answer earlier.

        Returns:
            A status for each ticket that is not simply RUNNING; may be empty.
        """
        ...

    async def delete_instance(self, instance_id: str) -> None:
        """Deletes an instance; no error where it is gone."""
        ...

    async def close(self) -> None:
        """Frees connections and threads."""
        ...
