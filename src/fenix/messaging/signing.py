"""Signs what goes to subscriptions, so that a receiver can tell Fenix's messages from others'.

After Standard Webhooks: three headers, of which the signature covers the message's id, the time of
the attempt and the body. While a secret is being replaced there are two signatures.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

from fenix.domain import Subscription
from fenix.messaging.base import DeliveryFailed
from fenix.messaging.secrets import GROUP, SecretBox, Undecipherable


def headers(
    message_id: str, body: bytes, target: Subscription, box: SecretBox | None, now: datetime
) -> Mapping[str, str]:
    """The headers of Standard Webhooks; no signature where the subscription has no secret.

    Args:
        now: the time of this attempt, with its zone.

    Raises:
        DeliveryFailed: the secret can't be decrypted; nothing goes out unsigned that should be.
    """
    found = {"Webhook-Id": message_id, "Webhook-Timestamp": str(int(now.timestamp()))}
    sealed = [one for one in (target.secret, _old(target, now)) if one is not None]
    if not sealed:
        return found
    if box is None:
        raise DeliveryFailed(f"the subscription has a secret, and [{GROUP}] key_file is not set")
    try:
        signers = [Webhook(box.open(one)) for one in sealed]
    except Undecipherable as error:
        raise DeliveryFailed(str(error)) from error
    signatures = [signer.sign(message_id, now, body.decode()) for signer in signers]
    return found | {"Webhook-Signature": " ".join(signatures)}


def _old(target: Subscription, now: datetime) -> str | None:
    until = target.old_secret_until
    if until is None or until <= now.astimezone(UTC).replace(tzinfo=None):
        return None
    return target.old_secret
