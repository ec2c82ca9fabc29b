"""How far a session is, as one number."""

from fenix.domain import HostState, SessionState
from fenix.engine.state import SessionData

WEIGHT = {
    HostState.PENDING: 0.0,
    HostState.DRAINING: 0.2,
    HostState.EMPTY: 0.4,
    HostState.IN_MAINTENANCE: 0.5,
    HostState.MAINTAINED: 1.0,
    HostState.FAILED: 0.5,
    HostState.SKIPPED: 1.0,
}
"""How much of a host's work is behind it."""


def percent_done(data: SessionData) -> int:
    """0 to 100, and 100 only for a session that is done.

    It never goes back, also when what failed is tried again.
    """
    if data.session.state is SessionState.MAINTENANCE_DONE:
        return 100
    if not data.hosts:
        return 0
    done = sum(WEIGHT[state] * count for state, count in data.host_states.items())
    return min(99, max(data.session.percent_done, int(100 * done / len(data.hosts))))
