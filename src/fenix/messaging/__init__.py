"""The channels by which messages leave."""

from fenix.messaging.base import Channel, DeliveryFailed

__all__ = ["Channel", "DeliveryFailed"]
