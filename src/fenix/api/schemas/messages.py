"""Messages that nobody has taken."""

from typing import Annotated

from pydantic import Field

from fenix.api.schemas.fields import StrictBody, Time, View
from fenix.api.schemas.progress import DeliveryView
from fenix.domain import EventType

LARGEST_ID = 2**31 - 1


class SendAgainBody(StrictBody):
    """Messages that are to be sent again."""

    deliveries: (
        Annotated[
            list[Annotated[int, Field(ge=1, le=LARGEST_ID)]], Field(min_length=1, max_length=1000)
        ]
        | None
    ) = Field(default=None, description="Ids of deliveries that were given up; absent: all.")


class UndeliveredView(DeliveryView):
    """A message that a receiver has not taken."""

    id: int = Field(description="Of the delivery.")
    message_id: str
    sequence: int
    event_type: EventType
    project_id: str
    message_state: str = Field(description="The message's `state`.")
    created_at: Time = Field(description="When the message was written.")


class Undelivered(View):
    """Messages that receivers have not taken, and are tried again (`PENDING`) or were given up."""

    undelivered: list[UndeliveredView]
    next: int | None = Field(description="Give this as `after` for the next ones; null: the end.")


class SentAgain(View):
    """How many messages that were given up are on their way again."""

    sent_again: int
