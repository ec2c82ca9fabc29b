"""The fields of messages, taken from messages that the composer really makes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from fenix.domain import (
    EventType,
    HostNews,
    Message,
    ProjectState,
    Session,
    SessionRequest,
    SessionState,
)
from fenix.engine.composer import Composer
from fenix.messaging.bodies import aodh_body, cloudevents_body
from fenix_reference.markdown import check, code, example, table

NOW = datetime(2026, 3, 1, 22, 0, 0)
SESSION = "4f1f4f7e-0b5c-4f2d-9d25-9a1b1d1a2c3d"
PROJECT = "8a4a0a0d1f2e4d6c9b7a5e3c1d2f4a6b"
INSTANCE = "c0ffee00-1111-4222-8333-444455556666"

HEAD = {
    "service": "always `fenix`",
    "session_id": "the session",
    "message_id": "names the message; the same however often it is delivered",
    "sequence": "counts the session's messages, from 1; by it a receiver can restore their order",
}
FIELDS = {
    EventType.SCHEDULED: HEAD
    | {
        "project_id": "the project that is addressed",
        "state": "what it is about, see below",
        "instance_ids": 'a list of ids, or the URL that gives `{"instance_ids": [...]}`',
        "reply_url": "where to `PUT` the reply",
        "allowed_actions": "what a reply may choose for an instance; empty: nothing",
        "actions_at": "when what is announced is due; a move may start as soon as it is agreed to",
        "reply_at": "until when a reply counts",
        "metadata": "the session's `metadata`, as the administrator gave it",
    },
    EventType.HOST: HEAD
    | {
        "project_id": "the project of the administrator who created the session",
        "host": "the host's name in the cloud",
        "state": "see below",
    },
    EventType.SESSION: HEAD
    | {
        "project_id": "the project of the administrator who created the session",
        "state": "the session's state; the same again where only the percentage is new",
        "percent_done": "0 to 100; each whole percent is told once",
        "detail": "for people: why it failed, `created`, `continued`, which host has got on, or "
        "empty; at most 200 characters",
    },
}
PROJECT_STATES = {
    "MAINTENANCE": "a session is planned that concerns the project",
    "SCALE_IN": "room is short: give capacity back, then answer; may come again",
    "PREPARE_MAINTENANCE": "instances must move to hosts that are not yet maintained",
    "PLANNED_MAINTENANCE": "instances move to hosts that are maintained, where the capabilities in "
    "`metadata` are available",
    "INSTANCE_ACTION_DONE": "Fenix has moved the instance; no reply is wanted",
    "MAINTENANCE_COMPLETE": "all hosts are done: scale back out, then answer",
}
HOST_NEWS = {
    "IN_MAINTENANCE": "the host is about to be worked on",
    "MAINTENANCE_COMPLETE": "the work is over: it is done and the host is up, or the session has "
    "ended before it was",
    "MAINTENANCE_FAILED": "the work has failed; the host stays disabled",
    "HOST_ADDED": "reserved for workflows that add hosts; the two that come with Fenix never send "
    "it",
    "HOST_REMOVED": "reserved likewise",
}


def page() -> str:
    """A section for each type of message, and one for the two bodies of HTTP."""
    return "\n".join(_parts())


def _parts() -> Iterator[str]:
    composer = Composer(_session(), "http://fenix.example.org:12347/v1", 0)
    scheduled = [_scheduled(composer, state, single=False) for state in ProjectState]
    single = [_scheduled(composer, state, single=True) for state in ProjectState]
    host = composer.host("h", "compute-1", HostNews.IN_MAINTENANCE, NOW)
    session = composer.session(SessionState.PLANNED_MAINTENANCE, 40, "", NOW)
    yield _section(EventType.SCHEDULED, scheduled[3])
    check("states of maintenance.scheduled", PROJECT_STATES, [str(state) for state in ProjectState])
    rows = []
    for one, other in zip(scheduled, single, strict=True):
        state = ProjectState(one.state)
        replies = f"{code(state.ack)}, {code(state.nack)}" if state.answered else "none"
        ids = " / ".join(
            "list" if isinstance(m.payload["instance_ids"], list) else "URL" for m in (one, other)
        )
        rows.append((code(state), PROJECT_STATES[state], ids, replies))
    yield table(("state", "meaning", "`instance_ids` in `default` / `vnf`", "replies"), rows)
    yield "The same `PLANNED_MAINTENANCE` in workflow `vnf`, which asks for each instance:\n"
    yield example(single[3].payload)
    yield _section(EventType.HOST, host)
    check("states of maintenance.host", HOST_NEWS, [str(news) for news in HostNews])
    yield table(("state", "meaning"), [(code(name), text) for name, text in HOST_NEWS.items()])
    yield _section(EventType.SESSION, session)
    yield "## Bodies of the channel `http`\n\nFormat `cloudevents`:\n"
    yield example(cloudevents_body(scheduled[3]))
    yield "Format `aodh`, the shape in which Aodh posts an event alarm:\n"
    yield example(aodh_body(scheduled[3], "the subscription's id"))


def _section(event_type: EventType, message: Message) -> str:
    fields = FIELDS[event_type]
    check(f"fields of {event_type}", fields, message.payload)
    rows = [(code(name), fields[name]) for name in message.payload]
    return f"## {event_type}\n\n{table(('field', 'meaning'), rows)}\n{example(message.payload)}"


def _scheduled(composer: Composer, state: ProjectState, single: bool) -> Message:
    # As the two workflows ask: only what moves instances is about one of them.
    about_one = single and state.moves_instances
    return composer.scheduled(
        str(state),
        PROJECT,
        state,
        NOW,
        instance_ids=[INSTANCE],
        reply_by=NOW + timedelta(minutes=5) if state.answered else None,
        actions_at=NOW + timedelta(minutes=5),
        single=about_one,
    )


def _session() -> Session:
    metadata: dict[str, Any] = {"openstack_version": "2026.2"}
    request = SessionRequest("default", NOW, metadata)
    return Session(SESSION, request, "the admin project's id", NOW, NOW)
