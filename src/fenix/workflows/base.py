"""The contract for authors of workflows.

A workflow is a class in the entry point group ``fenix.workflows``. It has one coroutine method for
each session state, named like the state in lower case, that returns the next state. All that it
may do is on its `Context`. Every call there is *resumable*: after a crash of the engine the
present state's method simply runs again, on another engine, and each call finds what was already
done instead of doing it twice. Two rules make that work:

* what has a `key` is done once for each key: derive keys from what a restart does not change;
* what the method decided and would decide otherwise a second time (which hosts come next) goes
  into the memory first.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, ClassVar, Protocol

from fenix.domain import (
    ActionRecord,
    ActionSpec,
    Constraints,
    HostNews,
    HostRecord,
    HostState,
    Instance,
    InstanceRecord,
    InstanceState,
    Inventory,
    MoveAction,
    MoveRecord,
    ProjectRecord,
    ProjectState,
    Reply,
    Session,
    SessionState,
)


class SessionFailed(Exception):
    """Ends the session in MAINTENANCE_FAILED; the text is the reason that the operator sees."""


class Context(Protocol):
    """One session, as its workflow sees it. All times are naive UTC."""

    @property
    def session(self) -> Session:
        """The session; not to be changed directly."""
        ...

    @property
    def hosts(self) -> Mapping[str, HostRecord]:
        """The session's hosts by name; to be changed by `set_host`."""
        ...

    @property
    def instances(self) -> Mapping[str, InstanceRecord]:
        """The instances that were dealt with, by id; to be changed by `set_instance`."""
        ...

    @property
    def projects(self) -> Mapping[str, ProjectRecord]:
        """The projects that the session talks with, by id."""
        ...

    @property
    def moves(self) -> Mapping[str, MoveRecord]:
        """The moves that were intended so far, by key."""
        ...

    @property
    def memory(self) -> Mapping[str, Any]:
        """What `remember` has kept."""
        ...

    def now(self) -> datetime:
        """The present time."""
        ...

    async def remember(self, **values: Any) -> None:
        """Keeps JSON values beyond a restart; durable when it returns."""
        ...

    async def set_state(self, state: SessionState) -> None:
        """Shows another state of the session while the same method goes on."""
        ...

    async def set_host(
        self, name: str, state: HostState, why: str, news: HostNews | None = None
    ) -> None:
        """Writes a host's state, with the decision behind it in one sentence.

        Args:
            news: what infrastructure services are told about it (maintenance.host); the message is
                on its way when this returns, so that they know before the host is touched.
        """
        ...

    async def set_instance(
        self,
        instance: Instance,
        state: InstanceState,
        why: str,
        *,
        action: MoveAction | None = None,
        target: str | None = None,
        replaced_by: str | None = None,
    ) -> None:
        """Writes an instance's state, with the decision behind it in one sentence."""
        ...

    async def note(
        self,
        what: str,
        why: str,
        *,
        host: str | None = None,
        instance: str | None = None,
        project: str | None = None,
    ) -> None:
        """Adds a line to the session's timeline."""
        ...

    def waiting(self, who: str, what: str, until: datetime | None) -> AbstractContextManager[None]:
        """Shows what the session waits for, as long as the block lasts."""
        ...

    async def sleep_until(self, when: datetime, what: str) -> None:
        """Waits for a moment; returns at once when it has passed."""
        ...

    async def inventory(self) -> Inventory:
        """The cloud as it is now.

        Raises:
            SessionFailed: the cloud does not answer for longer than the configuration allows.
        """
        ...

    async def inventory_of(self, host: str) -> Inventory:
        """One host and the instances on it, without their groups, as they are now.

        A small part of what `inventory` costs; without hosts where the cloud does not have it.

        Raises:
            SessionFailed: as `inventory`.
        """
        ...

    async def constraints(self) -> Constraints:
        """What the applications have registered."""
        ...

    async def meet_project(self, project_id: str) -> ProjectRecord:
        """Makes a project one that the session talks with."""
        ...

    def asked(self, key: str) -> ProjectState | None:
        """With what `ask` was called under this key before, maybe by an earlier engine."""
        ...

    async def ask(
        self,
        key: str,
        project_id: str,
        state: ProjectState,
        *,
        reply_by: datetime,
        actions_at: datetime,
        instances: Sequence[Instance] = (),
        single: bool = False,
    ) -> Reply | None:
        """Sends a message to a project and waits for its answer.

        Args:
            key: names the question within the session.
            reply_by: when silence is final.
            actions_at: when what is announced will happen.
            instances: those that the message concerns.
            single: the message is about its one instance, and so is the reply (workflow vnf).

        Returns:
            The first reply that fits, or None when there was none in time.
        """
        ...

    async def disable_host(self, name: str) -> None:
        """Keeps the cloud from placing anything on a host; one that others disabled is left."""
        ...

    async def enable_host(self, name: str) -> None:
        """Enables a host that the session disabled; any other is left as it is."""
        ...

    async def move(
        self, key: str, instance: Instance, action: MoveAction, target: str | None
    ) -> MoveRecord:
        """Moves an instance (MIGRATE or LIVE_MIGRATE) and waits until it has ended.

        Its project is told of a move that was done (INSTANCE_ACTION_DONE).

        Returns:
            The record of the move; a failed one has state FAILED and says why.
        """
        ...

    async def rejoin_move(self, key: str) -> MoveRecord:
        """Waits for a move that was begun before a restart; `key` is one of `moves`."""
        ...

    async def run_action(self, key: str, spec: ActionSpec, host: str | None) -> ActionRecord:
        """Runs an action plug-in and waits until it has ended.

        Args:
            key: names the run within the session.
            host: the host to work on, if any.

        Returns:
            The record of the run; a failed one has state FAILED and says why.
        """
        ...


class Workflow(ABC):
    """Base class of workflows."""

    description: ClassVar[str] = ""
    """One line for the reference."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    async def maintenance(self) -> SessionState:
        """The first state: announces the session."""

    async def run(self, state: SessionState) -> SessionState:
        """Does the work of a state and says which one comes next.

        Raises:
            SessionFailed: the session cannot go on; also when the workflow has no such state.
        """
        method = getattr(self, state.lower(), None)
        if method is None:
            raise SessionFailed(f"this workflow has no state {state}")
        following: SessionState = await method()
        return following

    @classmethod
    def states(cls) -> Sequence[SessionState]:
        """The states that a session of this workflow can be in, and so be resumed at."""
        return [state for state in SessionState if hasattr(cls, state.lower())]
