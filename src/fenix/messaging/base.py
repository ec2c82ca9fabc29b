"""The port by which messages leave: channels.

Drivers are entry points in group ``fenix.channels``. The engine's outbox decides what goes where
and when to try again; a channel only carries one message to one target.
"""

from collections.abc import Sequence
from typing import Protocol

from fenix.domain import EventType, Message, Subscription


class DeliveryFailed(Exception):
    """The message was not taken this time; it will be tried again.

    Args:
        why: for people.
        retry_after: seconds that the receiver asked to wait, if it did.
    """

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Channel(Protocol):
    """One way for messages to leave."""

    name: str

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
