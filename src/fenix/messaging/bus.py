"""The channel `bus`: OpenStack's notification bus, on which Ceilometer and others listen.

oslo.messaging's notifier logs a failure and drops the message. Messages of ours must not be lost,
so the outcome of each attempt is caught at the transport, below the notifier.
"""

import asyncio
import warnings
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from fenix.domain import EventType, Message, Subscription
from fenix.messaging.base import DeliveryFailed
from fenix.threads import Threads

with warnings.catch_warnings():
    # oslo.messaging imports eventlet's parts of other oslo libraries although it does not use them.
    for notice in (
        r"\s*Eventlet is deprecated",
        "eventletutils module is deprecated",
        "The 'oslo_service.eventlet_backdoor' module usage is deprecated",
    ):
        warnings.filterwarnings("ignore", notice)
    import oslo_messaging

GROUP = "bus"
OPTS = (
    cfg.FloatOpt(
        "timeout",
        default=30.0,
        min=1.0,
        help="Seconds that one notification may take before it counts as failed. Where RabbitMQ "
        "is and how to log in: transport_url in [oslo_messaging_notifications] or [DEFAULT], and "
        "[oslo_messaging_rabbit].",
    ),
)

_PUBLISHER = "fenix"
_ATTEMPTS = 2  # a connection that idled while RabbitMQ was restarted fails once


class BusChannel:
    """Sends notifications of format 1, priority INFO (wire contract, "Messages").

    A single thread sends them, since oslo.messaging blocks; it also keeps their order.

    Args:
        transport: oslo.messaging's notification transport; belongs to the channel from now on.
        timeout: seconds that one notification may take.
    """

    name = "bus"

    def __init__(self, transport: Any, timeout: float) -> None:
        options = transport.conf.oslo_messaging_notifications
        self._timeout = self.longest = timeout
        self._transport = transport
        self._publish = transport._send_notification
        transport._send_notification = self._attempt
        self._outcome: Exception | None = None
        self._notifier = oslo_messaging.Notifier(
            transport,
            publisher_id=_PUBLISHER,
            driver="messaging",
            retry=max(0, options.retry),  # its default, -1, blocks until RabbitMQ is back
        )
        self._thread = Threads(1, thread_name_prefix="bus")

    def targets(
        self, project_id: str, event_type: EventType, subscriptions: Sequence[Subscription]
    ) -> Sequence[str]:
        """Everyone who listens on the bus."""
        return ("",)

    async def send(self, message: Message, target: Subscription | None) -> None:
        """Brings one message to RabbitMQ, which confirms it.

        Raises:
            DeliveryFailed: RabbitMQ can't be reached, refused the message or did not confirm it.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                await loop.run_in_executor(self._thread, self._send, message)
        except TimeoutError:
            raise DeliveryFailed(
                f"RabbitMQ did not take the notification within {self._timeout:g} s", outage=True
            ) from None

    async def close(self) -> None:
        """Closes the connections; a notification that hangs is not awaited."""
        loop = asyncio.get_running_loop()
        self._thread.shutdown(wait=False, cancel_futures=True)
        try:
            async with asyncio.timeout(self._timeout):
                await loop.run_in_executor(None, self._transport.cleanup)
        except TimeoutError:
            return

    def _send(self, message: Message) -> None:
        for _ in range(_ATTEMPTS):
            self._outcome = RuntimeError("oslo.messaging did not try to send")
            self._notifier.info({}, str(message.event_type), dict(message.payload))
            if self._outcome is None:
                return
        raise DeliveryFailed(f"RabbitMQ: {self._outcome}", outage=True) from self._outcome

    def _attempt(self, *args: Any, **kwargs: Any) -> None:
        """Stands in for the transport's method; keeps the outcome instead of having it dropped."""
        try:
            self._publish(*args, **kwargs)
            self._outcome = None
        except Exception as error:
            self._outcome = error


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options, for the reference and the sample file."""
    return [(GROUP, list(OPTS))]


def create(conf: cfg.ConfigOpts) -> BusChannel:
    """Makes the channel from the configuration; connects only when the first message is sent."""
    conf.register_opts(OPTS, GROUP)
    return BusChannel(oslo_messaging.get_notification_transport(conf), conf[GROUP].timeout)
