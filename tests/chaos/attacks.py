"""What is done to the engines and servers, and how long it took until others went on."""

import random
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from tests.chaos.landscape import LEASE, LOOP, EngineProcess, Held, Landscape
from tests.cli.harness import is_ready

RESUME = 5.0
"""Seconds in which all goes on when a server is back."""


@dataclass
class Report:
    """What was done and measured.

    Attributes:
        slack: seconds that a busy machine may need to let a process run, and us to see what it did.
        took: seconds by kind of attack: until another engine had each session, or all went on.
        problems: what should not have been.
    """

    slack: float
    count: dict[str, int] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    sessions: int = 0
    doubled: int = 0

    def attacked(self, kind: str) -> None:
        self.count[kind] = self.count.get(kind, 0) + 1

    def measured(self, kind: str, seconds: float, limit: float, what: str) -> None:
        self.took.setdefault(kind, []).append(seconds)
        if seconds > limit + self.slack:
            self.problems.append(f"{kind}: {what} took {seconds:.2f} s, more than {limit:.1f} s")


class Attacks:
    """Attacks one landscape."""

    def __init__(self, place: Landscape, report: Report, seed: int) -> None:
        self._place = place
        self._report = report
        self._random = random.Random(seed)
        self._frozen: dict[str, tuple[int, int]] = {}

    def kill(self) -> None:
        """kill -9 of an engine at some moment; another one is started in its stead."""
        engine = self._victim()
        engine.process.signal(signal.SIGKILL)
        began = time.monotonic()
        self._report.attacked("kill -9")
        lost = self._place.of(engine)
        self._place.engines.remove(engine)
        heir = self._place.start_engine()
        self._taken_over("kill -9", lost, began, LEASE + LOOP)
        self._place.await_engine(heir)

    def freeze(self) -> None:
        """SIGSTOP past the lease, then SIGCONT."""
        engine = self._victim()
        engine.process.signal(signal.SIGSTOP)
        began = time.monotonic()
        self._report.attacked("SIGSTOP")
        try:
            lost = self._place.of(engine)
            self._taken_over("SIGSTOP", lost, began, LEASE + LOOP)
            for session, one in self._place.held().items():
                if session in lost:
                    self._frozen[session] = (len(self._place.lines("calls")), one.epoch)
        finally:
            engine.process.signal(signal.SIGCONT)
        self._place.pause(2)
        self._check_calls()

    def stop(self) -> None:
        """SIGTERM: hands over at once."""
        engine = self._victim()
        lost = self._place.of(engine)
        engine.process.signal(signal.SIGTERM)
        began = time.monotonic()
        self._report.attacked("SIGTERM")
        self._place.engines.remove(engine)
        # An action or a write under way may be waited for.
        self._taken_over("SIGTERM", lost, began, LEASE / 2)
        assert engine.process.wait() == 0, engine.process.said[-3000:]
        self._place.await_engine(self._place.start_engine())

    def restart_database(self, longest: float) -> None:
        """The database goes away, in order or not, and comes back."""
        self._place.pause(self._random.uniform(0, 2))
        database = self._place.database
        if self._random.random() < 0.5:
            database.stop()
        else:
            database.kill()
        self._report.attacked(f"{database.name} restarted")
        threading.Event().wait(self._random.uniform(0, longest))
        database.start()
        began = time.monotonic()
        before, notes = self._place.held(), self._notes()

        def goes_on() -> bool:
            now = self._place.held()
            renewed = all(now[one].beat > before[one].beat for one in before if one in now)
            return renewed and self._notes() > notes and is_ready(self._place.url)

        self._place.until(goes_on, "all sessions to go on")
        seconds = time.monotonic() - began
        self._report.measured(f"{database.name} restarted", seconds, RESUME, "to go on")

    def restart_rabbitmq(self, longest: float) -> None:
        """RabbitMQ goes away and comes back; its messages wait meanwhile."""
        rabbit = self._place.rabbit
        assert rabbit is not None
        self._place.pause(self._random.uniform(0, 2))
        if self._random.random() < 0.5:
            rabbit.stop()
        else:
            rabbit.kill()
        self._report.attacked("rabbitmq restarted")
        self._place.pause(self._random.uniform(0, longest))
        rabbit.start()
        began = time.monotonic()
        query = text(
            "SELECT MAX(d.id) FROM deliveries d JOIN messages m ON m.id = d.message_id "
            "WHERE d.channel = 'bus' AND d.state = 'PENDING'"
        )
        with self._place.database.connect() as connection:
            last = connection.scalar(query) or 0
            pending = text(
                "SELECT COUNT(*) FROM deliveries WHERE channel = 'bus' AND state = 'PENDING' "
                "AND id <= :last"
            )
            self._place.until(
                lambda: not connection.scalar(pending, {"last": last}), "messages to go out"
            )
        seconds = time.monotonic() - began
        self._report.measured("rabbitmq restarted", seconds, RESUME, "until messages were out")

    def _victim(self) -> EngineProcess:
        """An engine that has sessions, after a random while."""
        self._place.pause(self._random.uniform(0, 2))
        self._place.until(
            lambda: any(self._place.of(one) for one in self._place.engines), "an engine to work"
        )
        working = [one for one in self._place.engines if self._place.of(one)]
        return self._random.choice(working or self._place.engines)

    def _taken_over(self, kind: str, lost: Mapping[str, Held], began: float, limit: float) -> None:
        waiting = dict(lost)

        def over() -> bool:
            now = self._place.held()
            for session, old in list(waiting.items()):
                new = now.get(session)
                if new is not None and (new.epoch == old.epoch or new.owner is None):
                    continue
                del waiting[session]
                if new is not None:  # else it came to its end just before
                    seconds = time.monotonic() - began
                    self._report.measured(kind, seconds, limit, f"session {session}")
            return not waiting

        self._place.until(over, "another engine to take over")

    def _notes(self) -> int:
        with self._place.database.connect() as connection:
            query = "SELECT MAX(id) FROM audit WHERE place <> 'leases' AND who LIKE 'engine%'"
            return int(connection.scalar(text(query)) or 0)

    def _check_calls(self) -> None:
        for line in self._place.lines("calls"):
            session, epoch, owner = line["by"].split()
            number, newer = self._frozen.get(session, (line["n"], 0))
            if line["n"] > number and int(epoch) < newer:
                self._report.problems.append(f"{owner} called {line['call']} in epoch {epoch}")
