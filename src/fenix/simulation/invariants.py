"""Checks, after each event of a simulation, what must never happen (design, "Invariants").

It keeps a model of its own, made from the events alone, so that neither the engine's nor the
simulated cloud's books are trusted.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from fenix.domain import (
    ActionType,
    EventType,
    HostNews,
    Message,
    Resources,
    SessionRequest,
    SilentPolicy,
)
from fenix.simulation.bounds import WITHOUT_GROUP_LIMITS
from fenix.simulation.events import Event, replaces
from fenix.simulation.scenario import Scenario
from fenix.workflows.talking import SHORTEST_WINDOW

TOLERANCE = 1e-3
"""Seconds; virtual times are rounded in the log."""


@dataclass
class _Instance:
    project: str
    group: str | None
    size: Resources
    host: str
    target: str | None = None
    impacted_until: float = -1.0
    acked: bool = False
    refused: bool = False
    asked: bool = False
    notified_at: float | None = None
    lead_time: float = 0.0


@dataclass
class Invariants:
    """An observer of the event log, and of the messages, that collects violations.

    Args:
        constrained: whether the workflow honours the groups' constraints (workflow vnf).
        proceeds: whether an instance may move without an ACK when its lead time has passed.
    """

    scenario: Scenario
    constrained: bool = True
    proceeds: bool = False
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._instances = {
            one.id: _Instance(one.project, one.group, one.size, one.host, lead_time=one.lead_time)
            for one in self.scenario.instances
        }
        self._groups = {group.id: group for group in self.scenario.groups}
        self._managed = {one.id for one in self.scenario.projects if one.manager is not None}
        self._capacity = {host.name: host.size for host in self.scenario.hosts}
        self._load: dict[str, Resources] = defaultdict(Resources)
        self._members: Counter[tuple[str, str]] = Counter()
        self._on: dict[str, set[str]] = defaultdict(set)
        self._recovering: dict[str, list[str]] = defaultdict(list)
        self._disabled: set[str] = set()
        self._working: set[str] = set()
        self._maintained: Counter[str] = Counter()
        self._migrations: Counter[str] = Counter()
        self._ids: dict[tuple[str, str], str] = {}
        self._sequences: dict[tuple[str, str], int] = {}
        self._news: dict[str, str] = {}
        self._actions = [one.type for one in self.scenario.session.actions]
        self._last_deleted: tuple[str, _Instance] | None = None
        """What the event before this one deleted."""
        self.peak_hosts = 0
        for ident, one in self._instances.items():
            self._enter(ident, one.host)
        self._handlers: dict[str, Callable[[Event], None]] = {
            "project.notified": self._notified,
            "project.replied": self._replied,
            "instance.move.started": self._move_started,
            "instance.move.finished": self._move_finished,
            "instance.deleted": self._deleted,
            "instance.created": self._created,
            "host.disabled": lambda event: self._disabled.add(event["host"]),
            "host.enabled": self._enabled,
            "host.maintenance.started": self._maintenance_started,
            "host.maintenance.finished": self._maintenance_finished,
        }

    def expect(self, request: SessionRequest) -> None:
        """Takes in what a session is to do, where that is not what the scenario says."""
        self.constrained = request.workflow != WITHOUT_GROUP_LIMITS
        self.proceeds = request.options.silent_projects is SilentPolicy.PROCEED
        self._actions = [one.type for one in request.actions]

    def __call__(self, event: Event) -> None:
        """Takes in one event."""
        deleted = self._last_deleted
        if handler := self._handlers.get(event["event"]):
            handler(event)
        if self._last_deleted is deleted:
            self._last_deleted = None

    def at_end(
        self, done: bool, failed_hosts: frozenset[str], skipped_hosts: frozenset[str] = frozenset()
    ) -> None:
        """Checks what must hold when the session has ended.

        Args:
            done: whether it ended in MAINTENANCE_DONE.
            failed_hosts: hosts whose maintenance failed; they may stay disabled.
            skipped_hosts: hosts that the session left as they were.
        """
        for name in sorted(self._disabled - failed_hosts):
            self._violated(None, f"host {name} is left disabled")
        for host in self.scenario.session_hosts:
            kinds = (ActionType.HOST, ActionType(host.type))
            actions = sum(kind in kinds for kind in self._actions)
            count = self._maintained[host.name]
            if done and count < actions and host.name not in skipped_hosts:
                self._violated(None, f"host {host.name} was not worked on")
            if count > actions:
                self._violated(None, f"host {host.name} was worked on {count} times")
        for name, news in self._news.items():
            if news == HostNews.IN_MAINTENANCE:
                self._violated(None, f"the news of host {name} end with {news}")

    # Messages

    def heard(self, at: float, message: Message) -> None:
        """Takes in a message that a receiver gets for the first time.

        Args:
            at: virtual seconds from the start.
        """
        event: Event = {"t": at}
        session: str = message.payload["session_id"]
        if self._ids.setdefault((session, message.key), message.id) != message.id:
            self._violated(event, f"message {message.key} is sent under another id")
        if message.sequence <= self._sequences.get((session, message.project_id), 0):
            self._violated(event, f"message {message.key} is out of order")
        self._sequences[session, message.project_id] = message.sequence
        if message.event_type is EventType.HOST:
            name: str = message.payload["host"]
            if message.state != HostNews.IN_MAINTENANCE and name in self._working:
                self._violated(event, f"{message.state} of host {name} while it is worked on")
            self._news[name] = message.state

    def _notified(self, event: Event) -> None:
        if event["state"] in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"):
            for ident in event["instances"]:
                if one := self._instances.get(ident):
                    one.notified_at, one.asked = event["t"], True
                    one.acked = one.refused = False

    def _replied(self, event: Event) -> None:
        verdict, _, state = event["state"].partition("_")
        if state in ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"):
            for ident in event["instances"]:
                if one := self._instances.get(ident):
                    one.acked = one.acked or verdict == "ACK"
                    one.refused = not one.acked  # the first answer counts

    # Moves

    def _move_started(self, event: Event) -> None:
        one = self._instances[event["instance"]]
        if one.target is not None:
            self._violated(event, f"instance {event['instance']} is moved twice at one time")
        if one.project in self._managed and not (one.acked or self._led(one, event["t"])):
            self._violated(event, f"instance {event['instance']} moves without an ACK")
        if event["target"] in self._working:
            self._violated(event, f"a move to host {event['target']} that is worked on")
        if event["target"] in self._disabled:
            self._violated(event, f"a move to host {event['target']} that is disabled")
        one.target = event["target"]
        one.impacted_until = float("inf")
        self._enter(event["instance"], event["target"])
        self._check_host(event, event["target"])
        self._check_slots(event, 1, event["source"], event["target"])
        if one.group:
            self._check_group(event, one.group)

    def _led(self, one: _Instance, now: float) -> bool:
        """Whether an instance may move although its manager is silent."""
        if not self.proceeds or one.refused or one.notified_at is None:
            return False
        return now >= one.notified_at + one.lead_time - TOLERANCE

    def _move_finished(self, event: Event) -> None:
        ident = event["instance"]
        one = self._instances[ident]
        if one.target is None:
            return
        # The consent is spent; to a move that failed it goes for the next try.
        one.acked, one.asked = one.acked and not event["ok"], one.asked and not event["ok"]
        left = one.host if event["ok"] else one.target
        self._check_slots(event, -1, one.host, one.target)
        self._leave(ident, left)
        one.host, one.target = event["host"], None
        self._recover(event, one)
        if one.group:
            self._recovering[one.group].append(ident)

    def _recover(self, event: Event, one: _Instance) -> None:
        recovery = self._groups[one.group].recovery_time if one.group else 0
        one.impacted_until = event["t"] + recovery

    def _deleted(self, event: Event) -> None:
        one = self._instances.pop(event["instance"], None)
        if one is None:
            return
        for host in {one.host, one.target} - {None}:
            self._drop(event["instance"], str(host), one)
        if one.target is not None:
            self._check_slots(event, -1, one.host, one.target)
        self._last_deleted = event["instance"], one

    def _created(self, event: Event) -> None:
        size = Resources(event["vcpus"], event["memory_mb"], event["disk_gb"])
        self._instances[event["instance"]] = _Instance(
            event["project"], event["group"], size, event["host"]
        )
        self._enter(event["instance"], event["host"])
        if self._last_deleted:
            self._replaced(event, *self._last_deleted)
        self._check_host(event, event["host"])
        if event["host"] in self._working:
            self._violated(event, f"{event['instance']} lands on a host that is worked on")

    def _replaced(self, event: Event, ident: str, old: _Instance) -> None:
        """Checks an OWN_ACTION, which is an impact like a move.

        One that comes when the time to answer is over, and maybe the instance has been moved, is
        the manager's own affair.
        """
        if not replaces(event["instance"], ident):
            return
        if old.notified_at is not None:
            window = max(old.lead_time, SHORTEST_WINDOW.total_seconds())
            if not old.asked or event["t"] > old.notified_at + window - TOLERANCE:
                return
        if old.notified_at is None:
            self._violated(event, f"instance {ident} is replaced, and nobody had asked for it")
        new = self._instances[event["instance"]]
        self._recover(event, new)
        if new.group:
            self._check_group(event, new.group)

    # Hosts

    def _enabled(self, event: Event) -> None:
        self._disabled.discard(event["host"])
        if event["host"] in self._working:
            self._violated(event, f"host {event['host']} is enabled while it is worked on")

    def _maintenance_started(self, event: Event) -> None:
        name = event["host"]
        if self._on[name]:
            self._violated(
                event, f"host {name} is worked on with {sorted(self._on[name])[0]} on it"
            )
        if name not in self._disabled and name in self._computes():
            self._violated(event, f"host {name} is worked on while it is enabled")
        if name in self._working:
            self._violated(event, f"host {name} is worked on twice at one time")
        if self._news.get(name) != HostNews.IN_MAINTENANCE:
            self._violated(event, f"host {name} is worked on before anybody was told")
        self._working.add(name)
        self.peak_hosts = max(self.peak_hosts, len(self._working))
        limit = self.scenario.limits.parallel_hosts
        if limit is not None and len(self._working) > limit:
            self._violated(event, f"{len(self._working)} hosts are worked on, {limit} are allowed")

    def _maintenance_finished(self, event: Event) -> None:
        self._working.discard(event["host"])
        if event["ok"]:
            self._maintained[event["host"]] += 1

    def _computes(self) -> set[str]:
        return {host.name for host in self.scenario.hosts if host.type == "compute"}

    # Books

    def _enter(self, ident: str, host: str) -> None:
        one = self._instances[ident]
        self._on[host].add(ident)
        self._load[host] = self._load[host].plus(one.size)
        if one.group:
            self._members[host, one.group] += 1

    def _leave(self, ident: str, host: str) -> None:
        self._drop(ident, host, self._instances[ident])

    def _drop(self, ident: str, host: str, one: _Instance) -> None:
        self._on[host].discard(ident)
        self._load[host] = self._load[host].minus(one.size)
        if one.group:
            self._members[host, one.group] -= 1

    def _check_host(self, event: Event, name: str) -> None:
        if not self._load[name].fits(self._capacity[name]):
            self._violated(event, f"host {name} has {self._load[name]}, more than it has room for")
        for ident in self._on[name]:
            group = self._instances[ident].group
            limit = self._groups[group].per_host if group else None
            if group and limit is not None and self._members[name, group] > limit:
                self._violated(event, f"host {name} has more than {limit} of group {group}")

    def _check_slots(self, event: Event, change: int, *hosts: str) -> None:
        limits = self.scenario.limits
        for name in ("", *hosts):
            self._migrations[name] += change
            limit = limits.parallel_migrations_per_host if name else limits.parallel_migrations
            if change > 0 and limit is not None and self._migrations[name] > limit:
                where = f"on host {name}" if name else "in the cloud"
                self._violated(event, f"{self._migrations[name]} moves {where}, {limit} allowed")

    def _check_group(self, event: Event, group_id: str) -> None:
        if not self.constrained:
            return
        now = event["t"]
        impacted = {
            ident
            for ident in self._recovering[group_id]
            if ident in self._instances and self._instances[ident].impacted_until > now + TOLERANCE
        }
        self._recovering[group_id] = sorted(impacted | {event["instance"]})
        count = len(impacted | {event["instance"]})
        limit = self._groups[group_id].max_impacted_members
        if count > limit:
            self._violated(event, f"group {group_id} has {count} impacted, {limit} are allowed")

    def _violated(self, event: Event | None, what: str) -> None:
        at = f"t={event['t']}: " if event else "at the end: "
        self.violations.append(at + what)
