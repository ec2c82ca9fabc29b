"""The record of what truly happened in a simulation, written by its cloud and managers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""One line of the log: `t` in virtual seconds from the start, `event`, and its keys."""

Observer = Callable[[Event], None]

LONGEST_STEM = 40
"""How much of an instance's id goes on in that of its replacement."""


def replaces(created: str, deleted: str) -> bool:
    """Whether a manager built an instance in place of the one that was deleted just before
    (OWN_ACTION): its id begins with the old one."""
    return created.startswith(f"{deleted[:LONGEST_STEM]}-")


@dataclass
class EventLog:
    """All events in their order; told to observers at once.

    Attributes:
        start: the event loop's time of the start, s.
    """

    start: float
    events: list[Event] = field(default_factory=list)
    observers: list[Observer] = field(default_factory=list)

    def record(self, now: float, kind: str, keys: dict[str, Any]) -> None:
        """Adds an event that happened at the event loop's time `now`."""
        event = {"t": round(now - self.start, 6), "event": kind, **keys}
        self.events.append(event)
        for observer in self.observers:
            observer(event)

    def write(self, path: Path) -> None:
        """Writes the log as JSON lines."""
        with path.open("w", encoding="utf-8") as file:
            for event in self.events:
                file.write(json.dumps(event) + "\n")
