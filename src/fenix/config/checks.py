"""What no single option can say: values that must fit together."""

from urllib.parse import urlsplit

from oslo_config import cfg

from fenix.config.options import LONGEST_ENDPOINT
from fenix.store.leases import shortest


class ConfigurationError(Exception):
    """The configuration can't work; the text names the option and what is allowed."""


def check_timing(conf: cfg.ConfigOpts) -> None:
    """Makes sure that an engine can keep its leases and that pauses fit their limits.

    Raises:
        ConfigurationError: naming the option, its value, and what is allowed.
    """
    engine = conf.engine
    _at_least(
        "lease_seconds",
        engine.lease_seconds,
        shortest(engine.loop_interval, engine.retry_timeout),
        "2 * (loop_interval + 2 * retry_timeout)",
    )
    for longer, shorter in (
        ("cloud_outage", "cloud_retry"),
        ("delivery_backoff_limit", "delivery_backoff"),
        ("delivery_give_up", "delivery_backoff"),
    ):
        _at_least(longer, engine[longer], engine[shorter], shorter)


def _at_least(name: str, value: float, least: float, what: str) -> None:
    if value < least:
        raise ConfigurationError(
            f"[engine] {name}: {value:g} is not valid; allowed: at least {what}, {least:g}"
        )


def check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if not parts.hostname or not endpoint.endswith("/v1") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"[api] public_endpoint: {endpoint!r} is not valid; allowed: a URL that ends in /v1"
        )
    if len(endpoint) > LONGEST_ENDPOINT:
        raise ConfigurationError(
            f"[api] public_endpoint: {endpoint!r} is not valid; allowed: at most "
            f"{LONGEST_ENDPOINT} characters"
        )
