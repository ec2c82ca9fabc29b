"""The choices that a session's administrator has, with their defaults and limits.

One dataclass serves the configuration (its defaults), the request's `options` object and the
workflows, so that a time-out has one name everywhere.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, doc

Seconds = Annotated[float, Ge(0), Le(30 * 86400)]
Slots = Annotated[int, Ge(1), Le(100_000)] | None


class UnmanagedPolicy(StrEnum):
    """What happens to a project that no message can reach."""

    MOVE = "move"
    REFUSE = "refuse"


class SilentPolicy(StrEnum):
    """What happens when a project does not answer in time."""

    FAIL = "fail"
    PROCEED = "proceed"
    SKIP_HOST = "skip_host"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How one session is carried out. All times are in seconds."""

    reply_timeout: Annotated[
        Seconds,
        doc(
            "How long a project may take to answer MAINTENANCE, and in workflow default also "
            "PREPARE and PLANNED messages; workflow vnf has lead_time for these."
        ),
    ] = 300.0
    scale_in_timeout: Annotated[
        Seconds, doc("How long a project may take for a scale-in until it answers.")
    ] = 900.0
    complete_timeout: Annotated[
        Seconds, doc("How long a project may take for its scale-out at the end.")
    ] = 900.0
    move_timeout: Annotated[
        Seconds, doc("How long one move of an instance may take, confirmation included.")
    ] = 3600.0
    action_timeout: Annotated[
        Seconds, doc("How long one action plug-in may run, where the action sets no limit itself.")
    ] = 7200.0
    settle_timeout: Annotated[
        Seconds, doc("How long the cloud may take until a change (a deletion) shows in its lists.")
    ] = 120.0
    unmanaged_projects: Annotated[
        UnmanagedPolicy,
        doc(
            "Projects that no channel reaches: `move` their instances without asking, or `refuse` "
            "to start."
        ),
    ] = UnmanagedPolicy.REFUSE
    silent_projects: Annotated[
        SilentPolicy,
        doc(
            "Projects that do not answer in time: `fail` the session, `proceed` as if they had "
            "agreed, or `skip_host`: leave the hosts that they are on (workflow vnf)."
        ),
    ] = SilentPolicy.FAIL
    nack_retries: Annotated[
        int,
        Ge(0),
        Le(1000),
        doc(
            "How often a project that refused is asked the same again, until the time for its "
            "answer is over; for managers whose NACK means that they are busy. 0: a NACK is final."
        ),
    ] = 0
    nack_pause: Annotated[
        Seconds, doc("How long after a NACK a project is asked again, if it is.")
    ] = 30.0
    parallel_hosts: Annotated[
        Slots, doc("Hosts that may be in maintenance at one time; unset: no limit.")
    ] = None
    parallel_migrations: Annotated[
        Slots, doc("Moves at one time in the whole cloud; unset: no limit.")
    ] = None
    parallel_migrations_per_host: Annotated[
        Slots, doc("Moves at one time that a host is source or target of; unset: no limit.")
    ] = 4
    lead_time: Annotated[
        Seconds,
        doc(
            "Notice for an instance whose application has registered none: how long its manager "
            "may take to agree to a move (workflow vnf)."
        ),
    ] = 120.0
    max_impacted_members: Annotated[
        int,
        Ge(1),
        Le(100_000),
        doc("Members of a group without registered constraints that may be impacted at one time."),
    ] = 1
    second_moves: Annotated[
        float,
        Ge(0),
        Le(1),
        doc(
            "Share of all instances that may be moved to hosts that are not yet maintained, and so "
            "once more later: more shortens the session, fewer disturbs less (workflow vnf)."
        ),
    ] = 0.1
    scale_in_share: Annotated[
        float,
        Ge(0),
        Le(1),
        doc(
            "How much of what is in use applications may be asked to give back, as a share, only "
            "so that one host more is worked on at a time and the session gets shorter by a tenth "
            "at least; 0: they are asked only when nothing else helps (workflow vnf)."
        ),
    ] = 0.03
    live_migration_downtime: Annotated[
        Seconds,
        doc(
            "How long an instance may stand still in a live migration of this cloud (Nova's "
            "`live_migration_downtime`). Of an application that would notice so much, by its "
            "`max_interruption_time`, silence is never taken for agreement (workflow vnf)."
        ),
    ] = 0.5
