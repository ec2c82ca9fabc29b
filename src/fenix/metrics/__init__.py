"""What a process counts of itself, for Prometheus.

A metric of a process is a global, as Prometheus' library has it: so that a driver of a cloud can
count its calls without being handed anything. What is in the database is not counted here, but read
from there by the API when it is asked (`fenix.api.metrics`): it belongs to no process.
"""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

_WORK = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_ANSWERS = (1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

API_REQUESTS = Histogram(
    "fenix_api_request_seconds",
    "Calls of the API, by operation and HTTP status.",
    ("operation", "status"),
    buckets=_CALLS,
)
CLOUD_CALLS = Histogram(
    "fenix_cloud_call_seconds",
    "Requests to the cloud, by service, request and outcome: ok, refused (it would be again) or "
    "unavailable (it may pass).",
    ("service", "request", "outcome"),
    buckets=_CALLS,
)
MOVES = Histogram(
    "fenix_move_seconds",
    "Moves that ended in this engine, by action and outcome, from the intent to the end.",
    ("action", "outcome"),
    buckets=_WORK,
)
ACTIONS = Histogram(
    "fenix_action_seconds",
    "Runs of action plug-ins that ended in this engine, by plug-in, type and outcome.",
    ("plugin", "type", "outcome"),
    buckets=_WORK,
)
REPLIES = Histogram(
    "fenix_reply_seconds",
    "Replies that counted, by the message's state and answer (ACK, NACK), since the message.",
    ("state", "answer"),
    buckets=_ANSWERS,
)
DELIVERIES = Counter(
    "fenix_deliveries",
    "Tries to deliver a message, by channel and outcome (ok, failed).",
    ("channel", "outcome"),
)
LEASES_RENEWED = Gauge(
    "fenix_engine_leases_renewed_timestamp_seconds",
    "When this engine last renewed its leases, in Unix time.",
)
ENGINE_SESSIONS = Gauge("fenix_engine_sessions", "Sessions that this engine works on.")

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition() -> bytes:
    """What this process has counted, in Prometheus' text format."""
    return generate_latest(REGISTRY)
