"""Tells Fenix's messages from those of anybody else who can reach us (Standard Webhooks)."""

import base64
from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

PREFIX = "whsec_"


class NotFenix(Exception):
    """A message is not signed with our secret, or is too old."""


def is_secret(text: str) -> bool:
    """Whether a text has the form of a secret."""
    try:
        length = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except ValueError:
        return False
    return text.startswith(PREFIX) and 24 <= length <= 64


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Makes sure that a message is Fenix's.

    Raises:
        NotFenix: it is not.
    """
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: senseless headers
        raise NotFenix(f"not signed with our secret: {error}") from error
