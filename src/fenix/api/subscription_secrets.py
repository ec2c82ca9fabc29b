"""Gives subscriptions secrets, and replaces them."""

from dataclasses import replace
from datetime import timedelta

from fenix.api.services import Services
from fenix.domain import Conflict, Subscription
from fenix.messaging.secrets import Undecipherable, new_secret


class SubscriptionSecrets:
    """The secrets of subscriptions, as far as there are keys to encrypt them with."""

    def __init__(self, services: Services) -> None:
        self._box = services.secrets
        self._now = services.now
        self._keep_old = services.settings.keep_old_secret

    def given(
        self, subscription: Subscription, secret: str | None
    ) -> tuple[Subscription, str | None]:
        """A subscription with its first secret.

        Args:
            secret: the client's own; None: one is made, if it can be kept.

        Returns:
            The subscription, and the secret if it was made here.

        Raises:
            Conflict: the client has one, and there is no key to keep it.
        """
        if self._box is None and secret is None:
            return subscription, None
        return self._sealed(subscription, secret)

    def replaced(
        self, subscription: Subscription, secret: str | None, keep_old: int | None = None
    ) -> tuple[Subscription, str | None]:
        """A subscription with another secret; see `given`.

        Args:
            keep_old: seconds for which the present one counts as well; None: as configured.
        """
        seconds = self._keep_old if keep_old is None else keep_old
        until = self._now() + timedelta(seconds=seconds)
        changed, told = self._sealed(subscription, secret)
        if subscription.secret is None or not seconds:
            return replace(changed, old_secret=None, old_secret_until=None), told
        return replace(changed, old_secret=subscription.secret, old_secret_until=until), told

    def has(self, subscription: Subscription, secret: str) -> bool:
        """Whether a subscription has this very secret."""
        if self._box is None or subscription.secret is None:
            return False
        try:
            return self._box.open(subscription.secret) == secret
        except Undecipherable:
            return False

    def _sealed(
        self, subscription: Subscription, secret: str | None
    ) -> tuple[Subscription, str | None]:
        if self._box is None:
            raise Conflict(
                "This Fenix has no key to keep secrets with ([subscriptions] key_file), so "
                "subscriptions can't have one."
            )
        made = new_secret() if secret is None else None
        return replace(subscription, secret=self._box.seal(secret or made or "")), made
