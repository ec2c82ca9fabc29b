"""Subscriptions: URLs that get messages directly."""

from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field

from fenix.api.schemas.fields import MONTH, Ident, StrictBody, Time, View
from fenix.domain import BodyFormat, EventType, SubscriptionHealth
from fenix.messaging.secrets import check_secret


def _check_url(url: str) -> str:
    """Refuses what messages could not be posted to, or what would give away a password."""
    allowed = "a URL with http or https, a host, and no user, password or fragment"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError(allowed)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(f"{allowed}; {error}") from error
    if not usable or "@" in parts.netloc or parts.fragment:
        raise ValueError(allowed)
    try:
        httpx.URL(url)  # by which messages will be sent
    except httpx.InvalidURL as error:
        raise ValueError(f"{allowed}; {error}") from error
    return url


def _each_once(types: list[EventType]) -> list[EventType]:
    if len(set(types)) < len(types):
        raise ValueError("each type once")
    return types


Secret = Annotated[
    str,
    Field(max_length=100, examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]),
    AfterValidator(check_secret),
]


class SubscriptionBody(StrictBody):
    """A URL that is to get messages."""

    url: Annotated[str, Field(max_length=2048), AfterValidator(_check_url)] = Field(
        description="Where messages are posted to.", examples=["http://192.0.2.7:9000/maintenance"]
    )
    format: BodyFormat = Field(
        default=BodyFormat.AODH,
        strict=False,
        description="`aodh`: as an event alarm of Aodh, for existing managers; `cloudevents`: "
        "CloudEvents 1.0.",
    )
    event_types: Annotated[
        list[Annotated[EventType, Field(strict=False)]],
        Field(min_length=1, max_length=3),
        AfterValidator(_each_once),
    ] = Field(
        default=[EventType.SCHEDULED],
        description="Kinds of messages; all but `maintenance.scheduled` are for administrators: "
        "they go to the project of the one who created the session.",
    )
    project_id: Ident | None = Field(default=None, description="Absent: the token's project.")
    secret: Secret | None = Field(
        default=None,
        description="What messages are to be signed with. Absent: Fenix makes one, where it has "
        "keys to keep it, and tells it in the answer.",
    )


class SecretBody(StrictBody):
    """Another secret for a subscription."""

    secret: Secret | None = Field(default=None, description="Absent: Fenix makes one.")
    keep_old: Annotated[int, Field(ge=0, le=MONTH)] | None = Field(
        default=None,
        description="Seconds for which messages are signed with the present secret, too; 0 if "
        "somebody else has it. Absent: as configured.",
    )


class SubscriptionView(View):
    """A subscription."""

    id: str
    project_id: str
    url: str
    format: BodyFormat
    event_types: list[EventType]
    created_at: Time
    signed: bool = Field(description="Whether its messages are signed.")
    old_secret_until: Time | None = Field(
        description="Until when they are signed with the secret before, too."
    )
    health: SubscriptionHealth = Field(
        description="`OK`; `FAILING`: the last message was not taken, and is tried again; `DEAD`: "
        "for so long that messages are given up."
    )
    failing_since: Time | None
    retry_at: Time | None = Field(description="Nothing is sent before, while it fails.")
    last_error: str | None = Field(description="Why a message was not taken the last time.")
    last_error_at: Time | None


class SubscriptionSecret(SubscriptionView):
    """A subscription that has got a secret."""

    secret: str | None = Field(
        default=None,
        description="What its messages are signed with, if Fenix has just made it. It is not "
        "shown again.",
    )


class SubscriptionList(View):
    """Subscriptions, oldest first."""

    subscriptions: list[SubscriptionView]


class TrialOutcome(View):
    """What became of a test message."""

    delivered: bool
    error: str | None = Field(default=None, description="Why it was not taken.")
