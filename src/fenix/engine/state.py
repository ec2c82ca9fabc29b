"""What an engine holds in memory of a session that it owns: a copy of the store's rows.

The owner is the only writer, so the copy is right as long as the lease is held. Records are
replaced, never changed in place, at the moment when their write goes into the journal: the order
of the writes is then the order of the changes. Nobody acts on a change before the journal has
made it durable.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from fenix.domain import (
    ActionRecord,
    HostRecord,
    HostState,
    InstanceRecord,
    Message,
    MoveRecord,
    ProjectRecord,
    Session,
    TimelineEntry,
)
from fenix.store import Write, messages, progress, sessions, timeline

Now = Callable[[], datetime]
"""The time of day, naive UTC."""


@dataclass
class SessionData:
    """A session and all that belongs to it. Moves, actions and messages are by key.

    Attributes:
        host_states: how many hosts are in each state; `put_host` keeps count.
    """

    session: Session
    now: Now
    hosts: dict[str, HostRecord] = field(default_factory=dict)
    instances: dict[str, InstanceRecord] = field(default_factory=dict)
    projects: dict[str, ProjectRecord] = field(default_factory=dict)
    moves: dict[str, MoveRecord] = field(default_factory=dict)
    actions: dict[str, ActionRecord] = field(default_factory=dict)
    executors: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    host_states: Counter[HostState] = field(init=False)

    def __post_init__(self) -> None:
        self.host_states = Counter(host.state for host in self.hosts.values())

    def put_host(self, host: HostRecord) -> None:
        """Replaces a host's record."""
        self.host_states[self.hosts[host.name].state] -= 1
        self.host_states[host.state] += 1
        self.hosts[host.name] = host

    @property
    def attempt(self) -> int:
        """How often the session was continued after a failure."""
        return int(self.session.memory.get("attempt", 0))

    def key(self, key: str) -> str:
        """A workflow's key, different in each attempt, so that what failed is tried again."""
        return f"{self.attempt}~{key}" if self.attempt else key

    def entry(self, what: str, why: str = "", **subject: Any) -> Write:
        """The write of a line in the timeline."""
        line = TimelineEntry(at=self.now(), who="engine", what=what, why=why, **subject)
        return timeline.add(self.session.id, line)


def load(connection: Connection, session_id: str, now: Now) -> SessionData:
    """Reads all of a session.

    Raises:
        LookupError: there is no such session.
    """
    session = sessions.get(connection, session_id)
    if session is None:
        raise LookupError(f"session {session_id} does not exist")
    runs = progress.list_actions(connection, session_id)
    return SessionData(
        session=session,
        now=now,
        hosts={host.name: host for host in progress.list_hosts(connection, session_id)},
        instances={one.id: one for one in progress.list_instances(connection, session_id)},
        projects={one.id: one for one in progress.list_projects(connection, session_id)},
        moves={one.key: one for one in progress.list_moves(connection, session_id)},
        actions={one.key: one for one, _ in runs},
        executors={one.key: executor for one, executor in runs},
        messages={one.key: one for one in messages.list_messages(connection, session_id)},
    )
