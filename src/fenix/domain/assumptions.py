"""What a plan assumes where the cloud does not say: how long things take, and who scales in.

One dataclass serves the configuration (its defaults), the request's `assume` object and the plan,
as `fenix.domain.options` does for sessions.
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, doc

from fenix.domain.resources import Resources

Seconds = Annotated[float, Ge(0), Le(7 * 86400)]

MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How long what takes time is expected to take. All times are in seconds."""

    host_seconds: Annotated[
        Seconds, doc("The work of all actions on one host, from its begin until the host is back.")
    ] = 1800.0
    session_action_seconds: Annotated[
        Seconds, doc("One action around the session (`pre`, `post`).")
    ] = 60.0
    live_migration_seconds: Annotated[
        Seconds, doc("A live migration, besides what its memory takes.")
    ] = 10.0
    live_migration_seconds_per_gib: Annotated[
        Seconds, doc("A live migration, for each GiB of the instance's memory.")
    ] = 1.0
    migration_seconds: Annotated[
        Seconds, doc("A cold migration, its confirmation included, besides what its memory takes.")
    ] = 60.0
    migration_seconds_per_gib: Annotated[
        Seconds, doc("A cold migration, for each GiB of the instance's memory.")
    ] = 1.0
    reply_seconds: Annotated[
        Seconds, doc("From a message until the application's manager agrees.")
    ] = 5.0
    scale_in: Annotated[
        bool, doc("Whether applications agree when they are asked to scale in.")
    ] = True
    scale_in_instances: Annotated[
        int,
        Ge(1),
        Le(1000),
        doc(
            "Instances that a project gives up each time that it is asked. Members of groups go "
            "that are not anti-affine; a project keeps as many of them as it has such groups."
        ),
    ] = 1
    scale_in_seconds: Annotated[Seconds, doc("One scale-in of a project.")] = 60.0
    scale_out_seconds: Annotated[Seconds, doc("A project's scale-out at the end.")] = 60.0

    def live_seconds(self, size: Resources) -> float:
        """How long the live migration of an instance of a size takes."""
        gib = size.memory_mb / MIB_PER_GIB
        return self.live_migration_seconds + gib * self.live_migration_seconds_per_gib

    def cold_seconds(self, size: Resources) -> float:
        """How long the cold migration of an instance of a size takes."""
        return (
            self.migration_seconds + size.memory_mb / MIB_PER_GIB * self.migration_seconds_per_gib
        )
