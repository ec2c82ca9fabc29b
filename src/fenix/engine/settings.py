"""How an engine behaves in time; the same for all sessions."""

from dataclasses import dataclass

from fenix.store.leases import shortest


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """All times are in seconds.

    Attributes:
        public_endpoint: base URL of the API, ``/v1`` included; replies go there.
        machine: names the machine, to know whether an action's process can still be here.
        loop_interval: how often the database is asked for work, replies and deletions.
        lease_seconds: how long a silent engine keeps its sessions; at least
            `fenix.store.leases.shortest`.
        retry_timeout: how long one try to renew leases may take.
        cloud_outage: how long the cloud may be away before a session gives up.
        cloud_retry: how long to wait between two tries while it is away.
        move_poll: longest time between two looks at running moves.
        announce_limit: how long work on a host waits until the news of it are delivered.
        delivery_timeout: how long a channel may take for one message.
        delivery_backoff: first pause after a failed delivery; doubles each time.
        delivery_backoff_limit: longest pause between two tries of a delivery.
        delivery_give_up: age at which a message that nobody takes is given up.
    """

    public_endpoint: str = "http://127.0.0.1:12347/v1"
    machine: str = "localhost"
    loop_interval: float = 1.0
    lease_seconds: float = 15.0
    retry_timeout: float = 3.0
    cloud_outage: float = 3600.0
    cloud_retry: float = 5.0
    move_poll: float = 60.0
    announce_limit: float = 30.0
    delivery_timeout: float = 60.0
    delivery_backoff: float = 1.0
    delivery_backoff_limit: float = 60.0
    delivery_give_up: float = 3600.0

    def __post_init__(self) -> None:
        least = shortest(self.loop_interval, self.retry_timeout)
        if self.lease_seconds < least:
            raise ValueError(
                f"lease_seconds: {self.lease_seconds:g} is not valid; allowed: at least "
                f"2 * (loop_interval + 2 * retry_timeout), {least:g}"
            )
