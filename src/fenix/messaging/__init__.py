"""The channels by which messages leave."""

from fenix.messaging.base import Channel, DeliveryFailed
from fenix.messaging.bodies import aodh_body, cloudevents_body
from fenix.messaging.limits import unfit_for_trait

__all__ = ["Channel", "DeliveryFailed", "aodh_body", "cloudevents_body", "unfit_for_trait"]
