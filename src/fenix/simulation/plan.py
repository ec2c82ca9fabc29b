"""What a plan is: the order for one, and what it tells.

A plan is a simulation of a copy of the cloud (design, "Virtual time is a feature"): these are plain
values, so that they can go to the process that makes it and back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fenix.domain import (
    Constraints,
    HostState,
    Inventory,
    MoveAction,
    MoveState,
    Resources,
    SessionRequest,
    SessionState,
)
from fenix.domain.assumptions import Assumptions


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """All that a plan is made from.

    Attributes:
        request: the session; validated.
        inventory: the cloud as it is now.
        constraints: what applications have registered.
        reached: the projects that some channel leads to.
        now: naive UTC.
        sources: where the assumed durations are from, in sentences.
    """

    request: SessionRequest
    inventory: Inventory
    constraints: Constraints
    reached: frozenset[str]
    assume: Assumptions
    now: datetime
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedHost:
    """What happens to a host of the session; times are naive UTC.

    Attributes:
        why: the decision to empty it, or the last one about it.
    """

    name: str
    state: HostState
    drain_started_at: datetime | None
    maintenance_started_at: datetime | None
    back_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """A move of an instance; an OWN_ACTION has no begin of its own.

    Attributes:
        target: None: where the cloud's scheduler likes best, or nowhere.
        error: why it would fail.
    """

    instance_id: str
    name: str
    project_id: str
    source: str
    target: str | None
    action: MoveAction
    state: MoveState
    started_at: datetime | None
    finished_at: datetime | None
    why: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedScaleIn:
    """What a project has to give up.

    Attributes:
        requests: how often it is asked.
        instances: how many instances have to go for the session to go on.
        resources: what these use.
        assumed: whether the plan relies on it; else it is what would be needed.
    """

    project_id: str
    requests: int
    instances: int
    resources: Resources
    assumed: bool


@dataclass(frozen=True, slots=True)
class PlannedMessages:
    """How many `maintenance.scheduled` messages a project gets, by their state."""

    project_id: str
    reached: bool
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PlannedBound:
    """Less than this is impossible, whoever plans."""

    name: str
    seconds: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen.

    Attributes:
        reason: why it is not feasible, with what is in the way.
        begins_at: when the first instance may be touched, naive UTC.
        ends_at: when the session ends.
        duration_seconds: between the two.
        makespan_seconds: from the first move or work on a host until the last host is back.
        bounds: lower bounds of the makespan, the highest first.
        notes: what a reader should know of how the copy differs from the cloud.
    """

    feasible: bool
    state: SessionState
    failed_state: SessionState | None
    reason: str | None
    assume: Assumptions
    begins_at: datetime
    ends_at: datetime
    duration_seconds: float
    makespan_seconds: float
    bounds: tuple[PlannedBound, ...]
    hosts: tuple[PlannedHost, ...]
    moves: tuple[PlannedMove, ...]
    scale_in: tuple[PlannedScaleIn, ...]
    messages: tuple[PlannedMessages, ...]
    notes: tuple[str, ...]

    @property
    def lower_bound_seconds(self) -> float:
        """No plan has a shorter makespan."""
        return max((bound.seconds for bound in self.bounds), default=0.0)
