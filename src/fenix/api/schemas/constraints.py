"""The constraints that applications register (wire contract, "Constraints")."""

from typing import Annotated

from pydantic import ConfigDict, Field

from fenix.api.schemas.fields import Body, Count, Ident, Label, Seconds, View
from fenix.domain import MoveAction

LaxAction = Annotated[MoveAction, Field(strict=False)]


class InstanceConstraintsBody(Body):
    """Constraints of an instance; other fields are ignored."""

    instance_id: Ident | None = Field(default=None, description="As in the path, if given.")
    project_id: Ident | None = Field(default=None, description="Absent: the token's project.")
    group_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@~+-]{0,64}$")] = Field(
        description="The group whose constraints hold as well; may be empty."
    )
    instance_name: Label = ""
    max_interruption_time: Seconds = Field(
        default=120, description="Longest interruption by a live migration that goes unnoticed, s."
    )
    migration_type: LaxAction = Field(
        default=MoveAction.LIVE_MIGRATE, description="The action where a reply names none."
    )
    resource_mitigation: bool = Field(
        default=False, description="A replacement must exist before the instance is impacted."
    )
    lead_time: Seconds = Field(
        default=120, description="Notice that the application gets before, s; an ACK ends it."
    )


class GroupConstraintsBody(Body):
    """Constraints of a group of instances; other fields are ignored."""

    group_id: Ident | None = Field(default=None, description="As in the path, if given.")
    project_id: Ident | None = Field(default=None, description="Absent: the token's project.")
    group_name: Label = ""
    anti_affinity_group: bool = Field(default=False, description="No two members on one host.")
    max_instances_per_host: Count = Field(default=0, description="0: no limit.")
    max_impacted_members: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="How many members may be impacted at one time."
    )
    recovery_time: Seconds = Field(
        default=0, description="A member counts as impacted until this long after its move, s."
    )
    resource_mitigation: bool = False


class InstanceConstraintsView(View):
    """Constraints of an instance."""

    model_config = ConfigDict(from_attributes=True)
    instance_id: str
    project_id: str
    group_id: str
    instance_name: str
    max_interruption_time: int
    migration_type: MoveAction
    resource_mitigation: bool
    lead_time: int


class GroupConstraintsView(View):
    """Constraints of a group."""

    group_id: str
    project_id: str
    group_name: str
    anti_affinity_group: bool
    max_instances_per_host: int
    max_impacted_members: int
    recovery_time: int
    resource_mitigation: bool
