"""An action that only takes its time, as an upgrade would; in simulations in virtual time."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from fenix.actions.base import Action, ActionRequest

_LONGEST = 30 * 86400


class SimulatedAction(Action):
    """Takes metadata ``seconds`` (a number, default 0)."""

    rerun_safe: ClassVar[bool] = True

    def run(self, request: ActionRequest) -> None:
        """Takes its time."""
        seconds = duration(request.metadata)
        print(f"working on {request.host or 'the cloud'} for {seconds:g} s")  # noqa: T201
        time.sleep(seconds)

    @classmethod
    def validate(cls, metadata: Mapping[str, Any]) -> None:
        """Refuses durations that are none."""
        duration(metadata)


def duration(metadata: Mapping[str, Any]) -> float:
    """How long the action takes, in seconds.

    Raises:
        ValueError: ``seconds`` is no number, negative, or more than what an action may take.
    """
    seconds = metadata.get("seconds", 0)
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= _LONGEST:
        raise ValueError(f"seconds: {seconds!r} is not valid; allowed: from 0 to {_LONGEST}")
    return float(seconds)
