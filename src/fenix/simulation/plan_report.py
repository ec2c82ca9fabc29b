"""Reads a plan out of the session that was carried out in the copy."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from fenix.clouds.simulated import World
from fenix.domain import (
    EventType,
    HostRecord,
    HostState,
    Instance,
    InstanceRecord,
    Message,
    MoveAction,
    MoveRecord,
    MoveState,
    ProjectRecord,
    ProjectState,
    Session,
    TimelineEntry,
    total,
)
from fenix.simulation.events import Event
from fenix.simulation.plan import (
    PlannedHost,
    PlannedMessages,
    PlannedMove,
    PlannedScaleIn,
    PlanOrder,
)
from fenix.store import messages, progress, sessions, timeline

_ALL = 2**31 - 1


@dataclass(frozen=True)
class Carried:
    """The rows of the session when it has ended."""

    session: Session
    hosts: Sequence[HostRecord]
    instances: Mapping[str, InstanceRecord]
    projects: Sequence[ProjectRecord]
    moves: Sequence[MoveRecord]
    messages: Sequence[Message]
    timeline: Mapping[str, Sequence[TimelineEntry]]


def read(connection: Connection, session_id: str) -> Carried:
    """All that there is of the session; the lines of its timeline by their kind."""
    session = sessions.get(connection, session_id)
    assert session is not None
    lines = defaultdict(list)
    for _, line in timeline.list_entries(connection, session_id, limit=_ALL):
        lines[line.what].append(line)
    return Carried(
        session=session,
        hosts=progress.list_hosts(connection, session_id),
        instances={one.id: one for one in progress.list_instances(connection, session_id)},
        projects=progress.list_projects(connection, session_id),
        moves=progress.list_moves(connection, session_id),
        messages=messages.list_messages(connection, session_id),
        timeline=dict(lines),
    )


def planned_hosts(carried: Carried) -> Iterator[PlannedHost]:
    """The hosts in the order in which they are worked on."""
    draining = {line.host: line for line in reversed(carried.timeline.get("host.draining", ()))}
    started = {
        line.host: line for line in reversed(carried.timeline.get("host.in_maintenance", ()))
    }
    enabled = {line.host: line.at for line in carried.timeline.get("host.enabled", ())}

    def begin(host: HostRecord) -> tuple[datetime, str]:
        line = draining.get(host.name) or started.get(host.name)
        return (line.at if line else datetime.max, host.name)

    for host in sorted(carried.hosts, key=begin):
        drain, work = draining.get(host.name), started.get(host.name)
        maintained = host.state is HostState.MAINTAINED
        yield PlannedHost(
            name=host.name,
            state=host.state,
            drain_started_at=drain.at if drain else None,
            maintenance_started_at=work.at if work else None,
            back_at=_later(host.finished_at, enabled.get(host.name)) if maintained else None,
            why=drain.why if drain and maintained else host.why,
        )


def _later(finished: datetime | None, enabled: datetime | None) -> datetime | None:
    return max((time for time in (finished, enabled) if time), default=None)


def planned_moves(carried: Carried, world: World) -> Iterator[PlannedMove]:
    """The moves in the order of their begin, then what managers do by themselves."""
    begun = carried.timeline.get("instance.move.started", ())
    whys = {(line.instance, line.at): line.why.partition(": ")[2] for line in begun}
    for move in carried.moves:
        instance = carried.instances[move.instance_id]
        yield PlannedMove(
            instance_id=move.instance_id,
            name=instance.name,
            project_id=instance.project_id,
            source=move.source,
            target=move.target,
            action=move.action,
            state=move.state,
            started_at=move.started_at,
            finished_at=move.finished_at,
            why=whys.get((move.instance_id, move.started_at)) or instance.why,
            error=move.error,
        )
    gone = carried.timeline.get("instance.gone", ())
    ended = {line.instance: line.at for line in gone}
    for one in carried.instances.values():
        if one.action is MoveAction.OWN_ACTION and one.id in ended:
            successor = world.instances.get(one.replaced_by or "")
            yield PlannedMove(
                instance_id=one.id,
                name=one.name,
                project_id=one.project_id,
                source=one.host,
                target=successor.host if successor else None,
                action=MoveAction.OWN_ACTION,
                state=MoveState.DONE,
                started_at=None,
                finished_at=ended[one.id],
                why=one.why,
            )


def given_up(carried: Carried, order: PlanOrder, events: Sequence[Event]) -> list[Instance]:
    """The instances that go in scale-ins; those of an OWN_ACTION only go to come back."""
    deleted = (event["instance"] for event in events if event["event"] == "instance.deleted")
    replaced = {one.id for one in carried.instances.values() if one.action is MoveAction.OWN_ACTION}
    known = order.inventory.instances
    return [known[ident] for ident in deleted if ident in known and ident not in replaced]


def planned_scale_in(
    carried: Carried, order: PlanOrder, given: Sequence[Instance]
) -> Iterator[PlannedScaleIn]:
    """What the projects that are asked to scale in give up.

    Args:
        given: see `given_up`.
    """
    asked = Counter(
        message.project_id
        for message in carried.messages
        if message.event_type is EventType.SCHEDULED and message.state == ProjectState.SCALE_IN
    )
    for project_id in sorted(asked):
        sizes = [one.size for one in given if one.project_id == project_id]
        yield PlannedScaleIn(
            project_id=project_id,
            requests=asked[project_id],
            instances=len(sizes),
            resources=total(sizes),
            assumed=order.assume.scale_in,
        )


def planned_messages(carried: Carried) -> Iterator[PlannedMessages]:
    """The messages that each project gets."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for message in carried.messages:
        if message.event_type is EventType.SCHEDULED:
            counts[message.project_id][str(message.state)] += 1
    for project in carried.projects:
        found = dict(counts[project.id]) if project.reached else {}
        yield PlannedMessages(project.id, project.reached, found)


def makespan(hosts: Sequence[PlannedHost], moves: Sequence[PlannedMove]) -> float:
    """From the first move or work on a host until the last host is back, in seconds."""
    begins = [host.maintenance_started_at for host in hosts] + [move.started_at for move in moves]
    first = min((time for time in begins if time), default=None)
    last = max((host.back_at for host in hosts if host.back_at), default=None)
    return max(0.0, (last - first).total_seconds()) if first and last else 0.0
