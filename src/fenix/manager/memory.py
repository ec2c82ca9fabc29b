"""What a manager must not forget when it is killed: messages it took, and instances it removed.

Fenix takes a message for delivered once we have answered 200, so it has to be safe before that. And
an instance that was removed to make room has to come back, whatever happens in between.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fenix.manager.notice import MAINTENANCE_COMPLETE, Notice, Payload

_KEPT = 10_000
"""How many messages are remembered, to know doubled ones."""

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, session_id TEXT, state TEXT, sequence INTEGER,
    payload TEXT, answer TEXT
);
CREATE TABLE IF NOT EXISTS absences (
    number INTEGER PRIMARY KEY, instance_id TEXT UNIQUE, name TEXT, why TEXT, message_id TEXT,
    blueprint TEXT, replaced_by TEXT
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""


class Line(NamedTuple):
    """A message and what became of it; `answer` is None until it is dealt with."""

    id: str
    session_id: str
    state: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Absence:
    """An instance that we removed.

    Attributes:
        why: ``SCALE_IN`` or ``OWN_ACTION``.
        message_id: the message for which it was removed.
        blueprint: what the cloud needs to make it again.
        replaced_by: the id that it has now; None: it is still missing.
    """

    instance_id: str
    name: str
    why: str
    message_id: str
    blueprint: dict[str, Any]
    replaced_by: str | None


class Memory:
    """A small SQLite file; to be used by one thread at a time.

    Args:
        path: the file, or ``:memory:``.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    # Messages

    def take(self, notice: Notice, payload: Payload) -> bool:
        """Keeps a message; False when it is there already."""
        row = (
            notice.id,
            notice.session_id,
            notice.state,
            notice.sequence,
            json.dumps(payload),
        )
        new = self._do(
            "INSERT OR IGNORE INTO messages (id, session_id, state, sequence, payload)"
            " VALUES (?, ?, ?, ?, ?)",
            *row,
        )
        self._do(
            "DELETE FROM messages WHERE answer IS NOT NULL"
            " AND number <= (SELECT MAX(number) FROM messages) - ?",
            _KEPT,
        )
        return new == 1

    def finish(self, notice: Notice, answer: str) -> None:
        """Notes that a message has been dealt with."""
        self._do("UPDATE messages SET answer = ? WHERE id = ?", answer, notice.id)

    def is_finished(self, notice: Notice) -> bool:
        """Whether a message has been dealt with."""
        query = "SELECT 1 FROM messages WHERE id = ? AND answer IS NOT NULL"
        return self._database.execute(query, (notice.id,)).fetchone() is not None

    def unfinished(self) -> Sequence[Payload]:
        """The messages that have not been dealt with, oldest first."""
        query = "SELECT payload FROM messages WHERE answer IS NULL ORDER BY number"
        return [json.loads(payload) for (payload,) in self._database.execute(query)]

    def is_late(self, notice: Notice) -> bool:
        """Whether a MAINTENANCE_COMPLETE of the session that was sent later is here already."""
        query = "SELECT 1 FROM messages WHERE session_id = ? AND state = ? AND sequence > ?"
        arguments = (notice.session_id, MAINTENANCE_COMPLETE, notice.sequence)
        return self._database.execute(query, arguments).fetchone() is not None

    def lines(self) -> Sequence[Line]:
        """All messages that are remembered, oldest first."""
        query = "SELECT id, session_id, state, answer FROM messages ORDER BY number"
        return [Line(*row) for row in self._database.execute(query)]

    # Instances

    def will_remove(
        self, notice: Notice, instance_id: str, name: str, why: str, blueprint: dict[str, Any]
    ) -> None:
        """Keeps what is needed to bring an instance back; to be called before it is deleted."""
        self._do(
            "INSERT OR REPLACE INTO absences (instance_id, name, why, message_id, blueprint)"
            " VALUES (?, ?, ?, ?, ?)",
            *(instance_id, name, why, notice.id, json.dumps(blueprint)),
        )

    def came_back(self, instance_id: str, as_id: str) -> None:
        """Notes under which id an instance is there again."""
        self._do("UPDATE absences SET replaced_by = ? WHERE instance_id = ?", as_id, instance_id)

    def absence(self, instance_id: str) -> Absence | None:
        """What is known of an instance that we removed, however long ago."""
        found = self._absences("WHERE instance_id = ?", instance_id)
        return found[0] if found else None

    def missing(self) -> Sequence[Absence]:
        """The instances that have not come back yet, longest gone first."""
        return self._absences("WHERE replaced_by IS NULL")

    # Facts

    def keep(self, name: str, value: str) -> None:
        """Keeps a value under a name."""
        self._do("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def recall(self, name: str) -> str | None:
        """The value that was kept last."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _absences(self, where: str, *arguments: object) -> Sequence[Absence]:
        query = "SELECT instance_id, name, why, message_id, blueprint, replaced_by FROM absences"
        rows = self._database.execute(f"{query} {where} ORDER BY number", arguments)
        return [
            Absence(ident, name, why, message_id, json.loads(blueprint), replaced_by)
            for ident, name, why, message_id, blueprint, replaced_by in rows
        ]

    def _do(self, statement: str, *arguments: object) -> int:
        return self._database.execute(statement, arguments).rowcount
