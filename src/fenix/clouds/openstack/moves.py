"""Starting moves, confirming them, and looking at many of them at once.

One look costs one read of the migration records, and one of servers where records alone don't
decide: they have ended, or are not there. Servers under a running record are looked at in turn,
one a look, to notice that one was deleted or broke and Nova never closed its record.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from fenix.clouds.base import CloudError, CloudUnavailable, MovePhase, MoveStatus, MoveTicket
from fenix.clouds.openstack.api import Api, Json, Params
from fenix.clouds.openstack.errors import Refused
from fenix.clouds.openstack.phases import SKEW, Migration, phase, record_of
from fenix.clouds.openstack.servers import Server
from fenix.domain import MoveAction

# Up to this many servers are read one by one: cheaper than a list of all that changed lately.
FEW = 8

# How Nova makes records: of live migrations, and of cold ones.
_UNCHANGED: Sequence[Params] = ({"status": "accepted"}, {"status": "pre-migrating"})

_ACTIONS = frozenset({"live-migration", "migrate", "confirmResize"})


def start(compute: Api, instance_id: str, action: MoveAction, target: str | None) -> None:
    """Asks Nova for a move; a named target is checked by the scheduler, never forced.

    Raises:
        CloudError: Nova refuses it, or `action` is not Fenix's to carry out.
    """
    match action:
        case MoveAction.LIVE_MIGRATE:
            body: Json = {"os-migrateLive": {"host": target, "block_migration": "auto"}}
        case MoveAction.MIGRATE:
            body = {"migrate": {"host": target} if target else None}
        case MoveAction.OWN_ACTION:
            raise CloudError(f"{instance_id}: its manager moves it by itself, not the cloud")
    compute.post("/servers/{id}/action", body, id=instance_id)


def confirm(compute: Api, instance_id: str) -> None:
    """Confirms a cold migration.

    Raises:
        CloudError: there is none to confirm, and none that was just confirmed.
    """
    try:
        compute.post("/servers/{id}/action", {"confirmResize": None}, id=instance_id)
    except Refused as error:
        if not _confirmed(compute, instance_id):
            raise error


def delete(compute: Api, instance_id: str) -> None:
    """Deletes a server; no error where Nova does not know it."""
    try:
        compute.delete("/servers/{id}", id=instance_id)
    except Refused as error:
        if error.status != 404:
            raise


def _confirmed(compute: Api, instance_id: str) -> bool:
    """Whether the instance's last cold migration is confirmed, or about to be."""
    for record in compute.pages(
        "/os-migrations", "migrations", {"instance_uuid": instance_id}, ident="uuid"
    ):  # the newest first
        if record["migration_type"] == "migration":
            return record["status"] in ("confirming", "confirmed")
    return False


class Watch:
    """Looks at moves.

    Args:
        few: read up to this many servers one by one.
    """

    def __init__(self, compute: Api, few: int = FEW) -> None:
        self._compute = compute
        self._few = few
        self._turn = count()

    def look(self, tickets: Collection[MoveTicket]) -> Sequence[MoveStatus]:
        """The status of each ticket that is not simply RUNNING."""
        since = min(ticket.started_at for ticket in tickets) - SKEW
        changed: Params = {"changes-since": f"{since.isoformat(timespec='seconds')}Z"}
        records = self._records(tickets, changed)
        running = [ticket for ticket, record in records.items() if record and record.running]
        due = records.keys() - running
        if running:
            due.add(running[next(self._turn) % len(running)])
        servers = self._servers({ticket.instance_id for ticket in due}, changed)
        found = {each: phase(each, records[each], servers[each.instance_id]) for each in due}
        news = {each: told for each, told in found.items() if told.phase is not MovePhase.RUNNING}
        return [self._explained(each) for each in self._sure(news, changed).values()]

    def _records(
        self, tickets: Iterable[MoveTicket], *selections: Params
    ) -> dict[MoveTicket, Migration | None]:
        """The tickets' migration records among those that were selected."""
        wanted = {ticket.instance_id for ticket in tickets}
        migrations = [
            Migration.of(each)
            for selection in selections
            for each in self._compute.pages("/os-migrations", "migrations", selection, ident="uuid")
            if each["instance_uuid"] in wanted
        ]
        return {ticket: record_of(ticket, migrations) for ticket in tickets}

    def _sure(
        self, news: Mapping[MoveTicket, MoveStatus], changed: Params
    ) -> Mapping[MoveTicket, MoveStatus]:
        """Without what the next look will know better.

        What was said of a server without a record holds only while there still is none: a quick
        move may begin and end between our reads of the two, and "changes-since" does not list
        a record that Nova has made and not changed yet, even when it failed and gave up already.
        """
        unrecorded = [
            ticket
            for ticket, status in news.items()
            if status.cloud_id is None and status.phase is not MovePhase.GONE
        ]
        if not unrecorded:
            return news
        records = self._records(unrecorded, *_UNCHANGED, changed)
        late = {ticket for ticket, found in records.items() if found}
        return {ticket: status for ticket, status in news.items() if ticket not in late}

    def _servers(self, wanted: Collection[str], changed: Params) -> dict[str, Server | None]:
        """The servers by id, None where Nova does not know one.

        A few are asked for singly. Of many, those that changed are listed; where that leaves more
        than a few, which have not been touched since, all are listed.
        """
        found: dict[str, Server | None] = {}
        missing = set(wanted)
        for selection in (changed, {}):
            if len(missing) <= self._few:
                break
            listed = self._compute.pages(
                "/servers/detail", "servers", {"all_tenants": "true", **selection}
            )
            found |= {each["id"]: Server.of(each) for each in listed if each["id"] in missing}
            missing -= found.keys()
        return found | {instance_id: self._server(instance_id) for instance_id in missing}

    def _server(self, instance_id: str) -> Server | None:
        try:
            return Server.of(self._compute.get("/servers/{id}", id=instance_id)["server"])
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def _explained(self, status: MoveStatus) -> MoveStatus:
        """A failure with what Nova wrote about the instance's last action, where it did."""
        if status.phase is not MovePhase.FAILED:
            return status
        try:
            reason = self._reason(status.instance_id)
        except (CloudError, CloudUnavailable):
            return status  # known to have failed, that is what counts
        if reason in status.detail:
            return status
        return replace(status, detail=f"{status.detail}: {reason}")

    def _reason(self, instance_id: str) -> str:
        actions = self._compute.get(
            "/servers/{id}/os-instance-actions", {"limit": 10}, id=instance_id
        )["instanceActions"]
        last = next((each for each in actions if each["action"] in _ACTIONS), None)
        if last is None:
            return ""
        action = self._compute.get(
            "/servers/{id}/os-instance-actions/{request}",
            id=instance_id,
            request=last["request_id"],
        )["instanceAction"]
        return _words(action.get("events", ()))


def _words(events: Iterable[Json]) -> str:
    """What the failed events of an action tell, once each (microversion 2.84; else nothing)."""
    told = [str(e["details"]) for e in events if e.get("result") == "Error" and e.get("details")]
    return "; ".join(dict.fromkeys(told))
