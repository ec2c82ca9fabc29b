"""What a plan is asked with, and how it is shown."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import BaseModel, Field, create_model

from fenix.api.schemas.fields import StrictBody, Time, View
from fenix.api.schemas.requests import SessionBody
from fenix.domain import HostState, MoveAction, MoveState, SessionState
from fenix.domain.assumptions import Assumptions


def _assume(name: str, base: type[BaseModel]) -> Any:
    """A model with the fields of `Assumptions`, each to be left out for its default."""
    hints = get_type_hints(Assumptions, include_extras=True)
    made: dict[str, Any] = {}
    for field in fields(Assumptions):
        notes = get_args(hints[field.name])
        text = next(note.documentation for note in notes if hasattr(note, "documentation"))
        made[field.name] = (hints[field.name], Field(field.default, description=text))
    return create_model(
        name,
        __base__=base,
        __doc__="What the plan assumes, where it is not to be as configured; times in seconds.",
        **made,
    )


if TYPE_CHECKING:
    AssumeBody = StrictBody
    AssumeView = View
else:
    AssumeBody = _assume("Assume", StrictBody)
    AssumeView = _assume("Assumed", View)


class PlanBody(SessionBody):
    """A maintenance session as it would be created, and what to assume."""

    assume: AssumeBody = Field(default_factory=AssumeBody)

    def assumptions(self, defaults: Assumptions) -> Assumptions:
        """What to assume.

        Args:
            defaults: where nothing is chosen.
        """
        return Assumptions(**asdict(defaults) | self.assume.model_dump(exclude_unset=True))


class ResourcesView(View):
    """Amounts of what hosts have and instances use."""

    vcpus: int
    memory_mb: int
    disk_gb: int


class PlannedHostView(View):
    """What happens to a host."""

    name: str
    state: HostState = Field(description="Where the session leaves it.")
    drain_started_at: Time | None = Field(description="Null: it is empty already, or stays.")
    maintenance_started_at: Time | None
    back_at: Time | None = Field(description="It may be used again.")
    why: str


class PlannedMoveView(View):
    """A move of an instance."""

    instance_id: str
    name: str
    project_id: str
    source: str
    target: str | None
    action: MoveAction
    state: MoveState
    started_at: Time | None = Field(description="Null: its manager does it by itself.")
    finished_at: Time | None
    why: str
    error: str | None


class PlannedScaleInView(View):
    """What a project has to give up."""

    project_id: str
    requests: int = Field(description="How often it is asked.")
    instances: int = Field(description="How many instances have to go.")
    resources: ResourcesView = Field(description="What these use.")
    assumed: bool = Field(
        description="The plan relies on it; false: it fails, and this is what would be needed."
    )


class PlannedMessagesView(View):
    """The `maintenance.scheduled` messages to a project."""

    project_id: str
    reached: bool = Field(description="Some channel leads to it.")
    counts: dict[str, int] = Field(description="How many, by state.")


class PlannedBoundView(View):
    """A lower bound of the makespan."""

    name: str
    seconds: float
    sentence: str = Field(description="How it comes about.")


class PlanView(View):
    """What would happen."""

    feasible: bool = Field(description="The session would come to MAINTENANCE_DONE.")
    state: SessionState = Field(description="Its last state.")
    failed_state: SessionState | None = Field(description="Where it would fail.")
    reason: str | None = Field(description="Why it would fail, with what is in the way.")
    assume: AssumeView = Field(description="All that is assumed.")
    begins_at: Time = Field(description="When the first instance may be touched.")
    ends_at: Time = Field(description="When the session would end.")
    duration_seconds: float = Field(description="Between the two.")
    makespan_seconds: float = Field(
        description="From the first move or work on a host until the last host is back."
    )
    lower_bound_seconds: float = Field(description="No plan has a shorter makespan.")
    bounds: list[PlannedBoundView] = Field(description="What limits it, the highest first.")
    hosts: list[PlannedHostView] = Field(description="In the order of their turn.")
    moves: list[PlannedMoveView] = Field(description="In the order of their begin.")
    scale_in: list[PlannedScaleInView]
    messages: list[PlannedMessagesView]
    notes: list[str] = Field(description="How the copy differs from the cloud.")
