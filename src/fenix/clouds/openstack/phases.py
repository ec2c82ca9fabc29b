"""How a move stands, decided from Nova's migration record and from the server.

Neither is enough alone. Nova answers 202 to a live migration that can't succeed, and only the
record tells; a server's host and task_state may change a moment before the record ends; a failed
cold migration leaves the server in ERROR, perhaps on the target already; a record may never end
when the server is deleted under it.

Records must be read before servers: then a record that has ended and the server fit together.

Statuses of records: Compute API, "List migrations"; nova/objects/fields.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fenix.clouds.base import MovePhase, MoveStatus, MoveTicket
from fenix.clouds.openstack.api import Json
from fenix.clouds.openstack.servers import GONE_STATUSES, UNKNOWN, Server
from fenix.domain import MoveAction

# How far Nova's clock may be from ours: records that are older than a ticket by up to this much
# may still be the ticket's.
SKEW = timedelta(minutes=5)

_TYPES = {MoveAction.LIVE_MIGRATE: "live-migration", MoveAction.MIGRATE: "migration"}
_FAILED = frozenset({"error", "failed", "cancelled", "reverted"})
_ENDED = _FAILED | {"completed", "confirmed", "finished"}


@dataclass(frozen=True, slots=True)
class Migration:
    """The part of a migration record that tells how a move stands.

    Attributes:
        number: grows with each record of a cell.
        created_at: naive UTC, by Nova's clock.
    """

    id: str
    number: int
    instance_id: str
    type: str
    status: str
    source: str | None
    created_at: datetime

    @classmethod
    def of(cls, migration: Json) -> "Migration":
        return cls(
            id=migration["uuid"],
            number=migration["id"],
            instance_id=migration["instance_uuid"],
            type=migration["migration_type"],
            status=migration["status"],
            source=migration["source_compute"],
            created_at=datetime.fromisoformat(migration["created_at"]).replace(tzinfo=None),
        )

    @property
    def running(self) -> bool:
        """Whether Nova is still at work on it; a finished cold migration awaits a decision."""
        return self.status not in _ENDED


def record_of(ticket: MoveTicket, migrations: Iterable[Migration]) -> Migration | None:
    """The ticket's migration record, the newest where Nova made several (it may reschedule).

    Args:
        migrations: records of any instances.
    """
    meant = (
        each
        for each in migrations
        if each.instance_id == ticket.instance_id
        and each.type == _TYPES.get(ticket.action)
        and each.source == ticket.source
        and each.id not in ticket.known
        and each.created_at >= ticket.started_at - SKEW
    )
    return max(meant, key=lambda each: (each.created_at, each.number), default=None)


def phase(ticket: MoveTicket, record: Migration | None, server: Server | None) -> MoveStatus:
    """How the ticket's move stands.

    NOT_STARTED means that there is no record and Nova does nothing with the server. A record
    appears a moment after the request was accepted; until then the server's task_state makes
    it RUNNING.

    Args:
        record: what `record_of` found.
        server: None when Nova does not know it (any more).
    """
    if server is None or server.status in GONE_STATUSES:
        return MoveStatus(ticket.instance_id, MovePhase.GONE)
    found = _unrecorded(ticket, server) if record is None else _recorded(record, server)
    return MoveStatus(
        instance_id=ticket.instance_id,
        phase=found,
        host=server.host,
        cloud_id=record.id if record else None,
        detail=_detail(found, record, server),
    )


def _unrecorded(ticket: MoveTicket, server: Server) -> MovePhase:
    if server.status == "ERROR":
        return MovePhase.FAILED
    if server.status == UNKNOWN or server.task_state is not None:
        return MovePhase.RUNNING
    # Off the source without our doing (an operator, an evacuation): what the move was for is done.
    return MovePhase.NOT_STARTED if server.host == ticket.source else MovePhase.DONE


def _recorded(record: Migration, server: Server) -> MovePhase:
    if server.status == "ERROR":
        return MovePhase.FAILED
    if record.running or server.status == UNKNOWN:
        return MovePhase.RUNNING
    if record.status == "completed":
        return MovePhase.DONE
    if server.task_state is not None:  # rolling back, confirming, or someone's next action
        return MovePhase.RUNNING
    if record.status in _FAILED:
        return MovePhase.FAILED
    verifying = server.status == "VERIFY_RESIZE"
    if record.status == "finished":
        return MovePhase.AWAITING_CONFIRM if verifying else MovePhase.RUNNING
    return MovePhase.RUNNING if verifying else MovePhase.DONE  # confirmed


def _detail(found: MovePhase, record: Migration | None, server: Server) -> str:
    if found is not MovePhase.FAILED:
        return ""
    return server.fault or (
        f"migration {record.id} ended as {record.status}" if record else "the instance is in ERROR"
    )
