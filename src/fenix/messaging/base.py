"""The port by which messages leave: channels.

Drivers are entry points in group ``fenix.channels``. The engine's outbox decides what goes where
and when to try again; a channel only carries one message to one target.
"""

from collections.abc import Sequence
from typing import Protocol

from fenix.domain import EventType, Message, Subscription

LONGEST_REASON = 500
"""Characters of a reason that are kept: it is logged and stored at each attempt."""


class DeliveryFailed(Exception):
    """The message was not taken this time; it will be tried again.

    Args:
        why: for people; cut off, and made printable, since it may quote what a receiver said.
        retry_after: seconds that the receiver asked to wait, if it did.
        outage: the channel itself is away, and would have taken no message at all. It is tried
            again every few seconds for as long as that lasts, and no message is given up.
    """

    def __init__(self, why: str, retry_after: float | None = None, *, outage: bool = False) -> None:
        super().__init__("".join(one if one.isprintable() else "?" for one in why[:LONGEST_REASON]))
        self.retry_after = retry_after
        self.outage = outage


class Channel(Protocol):
    """One way for messages to leave.

    Attributes:
        longest: seconds that a message may take by the channel's own limits; 0: it has none, and
            the engine's holds.
    """

    name: str
    longest: float

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """To whom a message of this type for this project goes: a broadcast has one target, ""."""
        ...

    async def send(self, message: Message, target: Subscription | None) -> None:
        """Brings one message to one target; None is the broadcast.

        Raises:
            DeliveryFailed: it is to be tried again.
        """
        ...

    async def close(self) -> None:
        """Frees connections and threads."""
        ...
