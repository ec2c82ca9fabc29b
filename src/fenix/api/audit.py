"""Who administered what: an event for each such call, in the form of CADF (DMTF DSP0262).

The events go into the log, under the name ``fenix.audit``, a line of JSON each. What acts on a
session becomes a line of its timeline as well; looking does not: to watch a session would fill it.
"""

import json
import logging
import warnings
from datetime import datetime

from pycadf import cadftaxonomy, cadftype
from pycadf.event import Event
from pycadf.host import Host
from pycadf.reason import Reason
from pycadf.resource import Resource
from starlette.types import Scope

from fenix.api.auth import Caller
from fenix.domain import TimelineEntry
from fenix.store import Database, DatabaseUnavailable, sessions, timeline
from fenix.store.admission import Connection

log = logging.getLogger("fenix.audit")

_ACTIONS = {
    "GET": cadftaxonomy.ACTION_READ,
    "POST": cadftaxonomy.ACTION_CREATE,
    "PUT": cadftaxonomy.ACTION_UPDATE,
    "DELETE": cadftaxonomy.ACTION_DELETE,
}


async def audit(
    database: Database, scope: Scope, request_id: str, status: int, now: datetime
) -> None:
    """Tells of a call that only administrators may make, if it is one; never fails.

    That is a call about the whole cloud, or about what is another project's than the caller's.

    Args:
        scope: of the call, after it; its state has the `caller`, the `policy` that was asked,
            whether it `allowed` the call, and the `session` if it is about one.
        now: naive UTC.
    """
    state = scope["state"]
    policy, caller = state.get("policy"), state.get("caller")
    if caller is None:
        return
    session_id = state.get("session")
    target = "session", session_id or "all"
    if policy is None:
        if not caller.elsewhere:
            return
        policy, project_id = caller.elsewhere[0]
        target = "project", project_id
    address = (scope.get("client") or ("unknown",))[0]
    log.info("%s", _event(scope, caller, policy, address, request_id, status, target))
    if session_id is None or scope["method"] == "GET" or not state.get("allowed"):
        return
    outcome = "done" if status < 400 else "refused"
    why = f"{policy} from {address}: {outcome}, {status}, {request_id}"
    entry = TimelineEntry(now, caller.name, "admin.called", why)

    def write(connection: Connection) -> None:
        if sessions.get(connection, session_id):
            timeline.add(session_id, entry)(connection)

    try:
        await database.write(write)
    except DatabaseUnavailable as error:
        log.warning("session %s: no line in its timeline about %s: %s", session_id, why, error)


def _event(
    scope: Scope,
    caller: Caller,
    policy: str,
    address: str,
    request_id: str,
    status: int,
    target: tuple[str, str],
) -> str:
    done = cadftaxonomy.OUTCOME_SUCCESS if status < 400 else cadftaxonomy.OUTCOME_FAILURE
    with warnings.catch_warnings():
        # Ids of users need not be UUIDs: those that Keystone takes from LDAP are not.
        warnings.filterwarnings("ignore", "Invalid uuid")
        event = Event(
            eventType=cadftype.EVENTTYPE_ACTIVITY,
            action=f"{_ACTIONS.get(scope['method'], cadftaxonomy.UNKNOWN)}/{policy}",
            outcome=done,
            reason=Reason(reasonType="HTTP", reasonCode=str(status)),
            initiator=Resource(
                typeURI=cadftaxonomy.ACCOUNT_USER,
                id=caller.user_id or "unknown",
                host=Host(address=address),
            ),
            target=Resource(typeURI=f"service/maintenance/{target[0]}", id=target[1]),
            observer=Resource(typeURI="service/maintenance", id="fenix"),
        )
        told = event.as_dict()
    told["initiator"]["project_id"] = caller.project_id
    told["requestPath"] = scope["path"]
    told["request_id"] = request_id
    return json.dumps(told, sort_keys=True)
