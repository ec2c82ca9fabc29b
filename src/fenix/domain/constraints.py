"""What applications tell about their instances, in ETSI NFV's terms.

Source of all fields: the wire contract, "Constraints"; times in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MoveAction(StrEnum):
    """What can happen to an instance whose host is to be emptied."""

    MIGRATE = "MIGRATE"
    LIVE_MIGRATE = "LIVE_MIGRATE"
    OWN_ACTION = "OWN_ACTION"


@dataclass(frozen=True, slots=True)
class InstanceConstraints:
    """An application's constraints for one instance.

    Attributes:
        max_interruption_time: longest interruption of a live migration that goes unnoticed, s.
        migration_type: the action where a reply names none.
        resource_mitigation: whether a replacement must exist before the instance is impacted.
        lead_time: notice that the application gets before its instance is impacted, s.
    """

    instance_id: str
    project_id: str
    group_id: str
    instance_name: str
    max_interruption_time: int = 120
    migration_type: MoveAction = MoveAction.LIVE_MIGRATE
    resource_mitigation: bool = False
    lead_time: int = 120


@dataclass(frozen=True, slots=True)
class GroupConstraints:
    """An application's constraints for a group of instances.

    Attributes:
        max_instances_per_host: 0 means no limit.
        max_impacted_members: how many members may be impacted at one time.
        recovery_time: a member counts as impacted until this long after its move ended, s.
    """

    group_id: str
    project_id: str
    group_name: str = ""
    anti_affinity_group: bool = False
    max_instances_per_host: int = 0
    max_impacted_members: int = 1
    recovery_time: int = 0
    resource_mitigation: bool = False


@dataclass(frozen=True, slots=True)
class Constraints:
    """All constraints that are known, by instance id and group id; may be stale."""

    instances: Mapping[str, InstanceConstraints] = field(default_factory=dict)
    groups: Mapping[str, GroupConstraints] = field(default_factory=dict)
