"""What the database holds, in figures for Prometheus; the same whichever process is asked."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fenix.api.services import Services
from fenix.domain import HostState, SessionState
from fenix.metrics import exposition
from fenix.store import DatabaseUnavailable, figures

KEPT_SECONDS = 2.0
"""Anybody may ask, and need not make the database work each time."""


class Metrics:
    """Gives the page, with figures that are not older than `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._read_at = -KEPT_SECONDS
        self._figures = b""

    async def page(self, services: Services) -> bytes:
        """What this process has counted and what the database holds."""
        if time.monotonic() - self._read_at >= KEPT_SECONDS:
            self._read_at = time.monotonic()
            self._figures = await _read(services)
        return exposition() + self._figures


async def _read(services: Services) -> bytes:
    try:
        found = await services.database.read(figures.read)
    except DatabaseUnavailable:
        return _text(families(None, services.now()))
    return _text(families(found, services.now()))


def families(found: figures.Figures | None, now: datetime) -> Iterator[Metric]:
    """The figures as metrics.

    Args:
        found: None: the database does not answer.
    """
    yield _gauge("database_up", "Whether the database answers.", found is not None)
    if found is None:
        return
    yield _by("sessions", "Sessions that are kept.", "state", SessionState, found.sessions)
    yield _by(
        "hosts", "Hosts of sessions that have not ended well.", "state", HostState, found.hosts
    )
    yield _gauge("outbox_deliveries", "Deliveries still to be made.", found.outbox)
    oldest = (now - found.oldest).total_seconds() if found.oldest else 0.0
    yield _gauge("outbox_oldest_seconds", "Age of the oldest message among these.", oldest)
    yield _gauge("outbox_given_up", "Deliveries that nobody has taken.", found.given_up)
    seen = {name: (now - at).total_seconds() for name, at in found.engines.items()}
    yield _by("lease_age_seconds", "Since an engine renewed its leases.", "engine", seen, seen)
    yield _gauge("sessions_unowned", "Sessions that wait for an engine.", found.unowned)


class _Once(Collector):
    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._found


def _text(found: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(list(found)))
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fenix_{name}", text, value)


def _by(
    name: str, text: str, label: str, names: Iterable[str], values: Mapping[str, float]
) -> Metric:
    family = GaugeMetricFamily(f"fenix_{name}", text, labels=[label])
    for one in names:
        family.add_metric([str(one)], values.get(one, 0))
    return family
