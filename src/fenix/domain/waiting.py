"""What a session waits for, so that nobody has to guess (design, "Invariants", 6)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """One wait. Times are naive UTC.

    Attributes:
        who: the project, host, instance or service that has to do something.
        what: what it has to do.
        until: when the wait ends by itself; None: when it is done.
    """

    who: str
    what: str
    since: datetime
    until: datetime | None

    def as_json(self) -> dict[str, str | None]:
        """The form in which it is kept and shown."""
        return {
            "who": self.who,
            "what": self.what,
            "since": self.since.isoformat(timespec="seconds"),
            "until": self.until.isoformat(timespec="seconds") if self.until else None,
        }
