"""The contract for authors of action plug-ins, and the port by which the engine runs them.

A plug-in is a class in the entry point group ``fenix.actions``. It runs in a process of its own,
so it may block, fork and fail as it likes; what it prints is kept as its log.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from fenix.domain import ActionType


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What one run of a plug-in gets.

    Attributes:
        run_id: names the run; the same after a restart of the engine.
        host: the host to work on; None for ``pre`` and ``post``.
        metadata: the action's own, from the session's request.
        session_metadata: the session's, as the applications get it.
        time_limit: seconds after which the run is ended.
    """

    run_id: str
    session_id: str
    plugin: str
    type: ActionType
    host: str | None
    metadata: Mapping[str, Any]
    session_metadata: Mapping[str, Any]
    time_limit: float


@dataclass(frozen=True, slots=True)
class ActionResult:
    """How a run ended.

    Attributes:
        error: None for success, else why it failed.
        log: what the plug-in printed, its end where it was too long.
    """

    error: str | None = None
    log: str = ""


class ActionFailed(Exception):
    """A plug-in's way to fail with a reason that says it all: its log gets no traceback."""


class Action(ABC):
    """Base class of action plug-ins."""

    rerun_safe: ClassVar[bool] = False
    """Whether a run that was interrupted, its outcome unknown, may simply be run again."""

    @abstractmethod
    def run(self, request: ActionRequest) -> None:
        """Does the work; returning means success.

        Raises:
            Exception: anything: the run has failed, the exception's text is the reason.
        """

    @classmethod
    def validate(cls, metadata: Mapping[str, Any]) -> None:
        """Refuses metadata that `run` could not work with, when the session is created.

        Raises:
            ValueError: with what is wrong and what is allowed.
        """


class ActionRunner(Protocol):
    """Runs plug-ins; outlives the engine's failures."""

    async def run(self, request: ActionRequest) -> ActionResult:
        """Runs the plug-in, or joins the run with this `run_id` that is under way or done."""
        ...
