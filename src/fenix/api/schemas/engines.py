"""Engines: the processes that carry sessions."""

from pydantic import Field

from fenix.api.schemas.fields import Time, View
from fenix.domain import SessionState


class LeaseView(View):
    """A session that an engine works on."""

    session_id: str
    state: SessionState
    epoch: int = Field(description="How often the session was taken by an engine.")


class EngineView(View):
    """An engine."""

    id: str
    hostname: str = Field(description="`machine` in its configuration.")
    pid: int
    version: str
    started_at: Time
    seen_at: Time = Field(description="When it last renewed its leases, by its own clock.")
    alive: bool = Field(description="Whether that was within twice `lease_seconds`.")
    sessions: list[LeaseView]


class EngineList(View):
    """Engines by id, and the sessions that none of them works on."""

    engines: list[EngineView]
    unowned: list[LeaseView] = Field(
        description="Sessions in which there is something to do, and that no engine has taken."
    )
