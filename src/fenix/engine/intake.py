"""Lets things in: sessions, what an administrator wants of them, and replies of projects.

Whoever brings them (the HTTP API, a simulation) calls these, so that the same rules hold for all.
Nothing is written unless everything is in order. An engine in the same process should be woken
afterwards; others find what is new within a second.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from fenix.clouds import Cloud
from fenix.domain import (
    REPLY_STATES,
    Conflict,
    Host,
    HostRecord,
    HostType,
    InvalidField,
    Inventory,
    NotFound,
    ProjectState,
    Reply,
    Session,
    SessionRequest,
    SessionState,
    TimelineEntry,
    TooLarge,
    TooMany,
)
from fenix.engine.plugins import load_action, load_workflow
from fenix.messaging.limits import unfit_for_trait
from fenix.store import Database, progress, replies, sessions, timeline
from fenix.store.admission import addressee, instances_of, one_at_a_time

ACCEPTED_REPLIES = REPLY_STATES | {
    ProjectState.INSTANCE_ACTION_DONE.ack,
    ProjectState.INSTANCE_ACTION_DONE.nack,
}
"""Existing managers answer also what needs no answer (wire contract, "Project API")."""


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What a request may ask for.

    Attributes:
        past: how long ago `maintenance_at` may be; such a session starts at once.
        future: how far ahead it may be.
        sessions: how many may be kept, those that have ended included.
        hosts: how many a session may have.
    """

    past: timedelta = timedelta(days=1)
    future: timedelta = timedelta(days=1826)
    sessions: int = 1000
    hosts: int = 5000


async def create_session(
    database: Database,
    cloud: Cloud,
    request: SessionRequest,
    admin_project_id: str,
    now: datetime,
    rules: IntakeRules | None = None,
    *,
    session_id: str | None = None,
    by: str = "api",
) -> Session:
    """Writes a new session and claims its hosts.

    Args:
        cloud: says which hosts there are.
        admin_project_id: whose administrator asks.
        now: naive UTC.
        session_id: the new session's id; None: a random one.
        by: who asks, for the timeline.

    Raises:
        InvalidField: the request can't be carried out as it is.
        Conflict: a host belongs to another session that has not ended.
        TooLarge: it would have too many hosts.
        TooMany: there are too many sessions.
        CloudUnavailable: the cloud can't be asked for its hosts.
        CloudError: the cloud refuses to tell its hosts.
        DatabaseUnavailable: see `Database.write`.
    """
    rules = rules or IntakeRules()
    _check_request(request, now, rules)
    hosts = _resolve(request.hosts, await cloud.inventory())
    if len(hosts) > rules.hosts:
        raise TooLarge(
            f"The session would have {len(hosts)} hosts; the limit [api] hosts_per_session is "
            f"{rules.hosts}."
        )
    session = Session(
        id=session_id or str(uuid.uuid4()),
        request=request,
        admin_project_id=admin_project_id,
        created_at=now,
        updated_at=now,
    )
    why = f"workflow {request.workflow}, {len(hosts)} hosts, at {request.maintenance_at}"

    def write(connection: Connection) -> None:
        one_at_a_time(connection)
        if sessions.count(connection) >= rules.sessions:
            raise TooMany(
                f"There are {rules.sessions} sessions, which is the limit [api] sessions; delete "
                "some that have ended."
            )
        _check_free(connection, [host.name for host in hosts], session.id)
        sessions.create(connection, session)
        for host in hosts:
            progress.save_host(session.id, HostRecord(host.name, host.type))(connection)
        _note(connection, session.id, TimelineEntry(now, by, "session.created", why))

    await database.write(write)
    return session


async def continue_session(
    database: Database, session_id: str, state: str, now: datetime, *, by: str = "api"
) -> None:
    """Lets a failed session go on at a state.

    Raises:
        NotFound: there is no such session.
        InvalidField: its workflow has no such state.
        Conflict: it is not failed, or another session has its hosts by now.
        DatabaseUnavailable: see `Database.write`.
    """

    def write(connection: Connection) -> None:
        one_at_a_time(connection)
        session = _session(connection, session_id)
        allowed = load_workflow(session.request.workflow).states()
        if state not in allowed:
            raise InvalidField("state", state, f"one of {', '.join(allowed)}")
        if session.state is not SessionState.MAINTENANCE_FAILED:
            raise Conflict(f"session {session_id} is in {session.state}: it has not failed")
        hosts = progress.list_hosts(connection, session_id)
        _check_free(connection, [host.name for host in hosts], session_id)
        if not sessions.request_resume(connection, session_id, SessionState(state)):
            raise Conflict(f"session {session_id} is already to be continued or deleted")
        entry = TimelineEntry(now, by, "session.continue_requested", f"at {state}")
        _note(connection, session_id, entry)

    await database.write(write)


async def delete_session(
    database: Database, session_id: str, now: datetime, *, by: str = "api"
) -> None:
    """Has a session ended and forgotten, whatever it does now; asking twice is no error.

    Raises:
        NotFound: there is no such session (any more).
        DatabaseUnavailable: see `Database.write`.
    """

    def write(connection: Connection) -> None:
        session = _session(connection, session_id)
        if not session.delete_requested:
            sessions.request_delete(connection, session_id)
            entry = TimelineEntry(now, by, "session.delete_requested", f"in {session.state}")
            _note(connection, session_id, entry)

    await database.write(write)


async def accept_reply(database: Database, reply: Reply, now: datetime) -> None:
    """Puts a project's reply into the inbox; whether it counts is the engine's decision.

    Choices for instances that are not the project's are dropped: managers may know old ones.

    Raises:
        InvalidField: no message has such a reply.
        NotFound: there is no such session, or it has no such project or instance.
        DatabaseUnavailable: see `Database.write`.
    """
    if reply.state not in ACCEPTED_REPLIES:
        allowed = ", ".join(sorted(ACCEPTED_REPLIES))
        raise InvalidField("state", reply.state, f"one of {allowed}")

    def write(connection: Connection) -> None:
        to = addressee(connection, reply)
        if to is None:
            raise NotFound("session", reply.session_id)
        if to.instance_ids is None:
            raise NotFound(f"in session {reply.session_id} project", reply.project_id)
        named = reply.instance_id is None or reply.instance_id in to.instance_ids
        if not named and not to.instance_known:
            raise NotFound(f"in session {reply.session_id} instance", reply.instance_id or "")
        if to.open and not to.full:  # else nobody would ever take it out again
            actions = reply.instance_actions
            if actions.keys() - to.instance_ids - {reply.instance_id}:
                theirs = instances_of(connection, reply.session_id, reply.project_id)
                theirs |= {*to.instance_ids}
                actions = {ident: actions[ident] for ident in actions if ident in theirs}
            replies.add(connection, replace(reply, instance_actions=actions), now)

    await database.write(write)


def _check_request(request: SessionRequest, now: datetime, rules: IntakeRules) -> None:
    load_workflow(request.workflow)
    earliest, latest = now - rules.past, now + rules.future
    if not earliest <= request.maintenance_at <= latest:
        raise InvalidField(
            "maintenance_at",
            request.maintenance_at.isoformat(),
            f"from {earliest.isoformat(timespec='seconds')} "
            f"to {latest.isoformat(timespec='seconds')}, naive UTC",
        )
    if unfit := unfit_for_trait(dict(request.metadata)):
        raise InvalidField(
            "metadata", dict(request.metadata), f"what existing managers can read, but {unfit}"
        )
    for number, action in enumerate(request.actions):
        plugin = load_action(action.plugin, f"actions.{number}.plugin")
        try:
            plugin.validate(action.metadata)
        except Exception as error:  # a plug-in is anybody's code
            field = f"actions.{number}.metadata"
            raise InvalidField(field, dict(action.metadata), f"by the plug-in: {error}") from error


def _resolve(names: Sequence[str], inventory: Inventory) -> Sequence[Host]:
    """The hosts of a request in the order of their names; none named: all that compute."""
    if not names:
        found = [host for host in inventory.hosts.values() if host.type is HostType.COMPUTE]
        if not found:
            raise InvalidField("hosts", list(names), "names of hosts: the cloud has no compute one")
        return sorted(found, key=lambda host: host.name)
    hosts: dict[str, Host] = {}
    for number, name in enumerate(names):
        if name not in inventory.hosts:
            raise InvalidField(f"hosts.{number}", name, "the name of a host of the cloud")
        if name in hosts:
            raise InvalidField(f"hosts.{number}", name, "each host once")
        hosts[name] = inventory.hosts[name]
    return [hosts[name] for name in sorted(hosts)]


def _check_free(connection: Connection, names: Sequence[str], session_id: str) -> None:
    """Makes sure that no session but this one has any of the hosts."""
    claimed = _claimed(connection, session_id)
    taken = [name for name in names if name in claimed]
    if taken:
        first, more = taken[0], len(taken) - 1
        raise Conflict(
            f"host {first}{f' and {more} more' if more else ''}: "
            f"session {claimed[first]} has not ended"
        )


def _claimed(connection: Connection, but: str) -> Mapping[str, str]:
    """The hosts of all other sessions that work on theirs or are going to, with the session."""
    return {
        host.name: session.id
        for session in sessions.list_all(connection)
        if session.id != but and (not session.state.ended or session.resume_state)
        for host in progress.list_hosts(connection, session.id)
    }


def _session(connection: Connection, session_id: str) -> Session:
    session = sessions.get(connection, session_id)
    if session is None:
        raise NotFound("session", session_id)
    return session


def _note(connection: Connection, session_id: str, entry: TimelineEntry) -> None:
    timeline.add(session_id, entry)(connection)
