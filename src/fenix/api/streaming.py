"""Writes all that there is of a session into an answer, piece by piece.

A session with thousands of hosts has tens of thousands of rows. They are read, checked and written
page by page, so that neither the database nor the event loop is held for long, and memory stays the
same however large the session is. A session that fits into one page is read in one transaction, so
that all of its parts belong together; the parts of a larger one are from moments that follow each
other.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from fenix.api.detail import SOURCES, find, head
from fenix.api.schemas.sessions import Problem
from fenix.domain import NotFound, Session
from fenix.store import Database, sessions
from fenix.store.admission import Connection

PAGE = 500
"""Rows that are read at a time."""

SEND_SECONDS = 60.0
"""How long a client may need to take a page, until its connection is cut."""


@dataclass(frozen=True)
class Place:
    """Where the next piece begins: at which source, and behind which of its rows."""

    source: int = 0
    after: Any = None


@dataclass(frozen=True)
class Piece:
    """Rows that were read together.

    Attributes:
        rows: with the number of their source; at least one entry of each, though it may be empty.
        next: where the next piece begins; None: this is the last one.
    """

    rows: Sequence[tuple[int, Sequence[Any]]]
    next: Place | None


def piece(connection: Connection, session_id: str, place: Place, limit: int) -> Piece:
    """The next rows of a session.

    Args:
        limit: how many at most.
    """
    found = []
    left = limit
    while True:
        rows = SOURCES[place.source].page(connection, session_id, place.after, left)
        found.append((place.source, rows))
        if len(rows) == left:
            return Piece(found, replace(place, after=rows[-1]))
        left -= len(rows)
        if place.source + 1 == len(SOURCES):
            return Piece(found, None)
        place = Place(place.source + 1)


async def show(database: Database, session_id: str) -> StreamingResponse:
    """The answer that tells everything about a session.

    What goes wrong while it is under way (the session is deleted, the database goes away) cuts the
    connection, so that nobody takes a part for the whole.

    Raises:
        NotFound: there is no such session.
        DatabaseUnavailable: see `Database.read`.
    """

    def begin(connection: Connection) -> tuple[Session, Piece]:
        return find(connection, session_id), piece(connection, session_id, Place(), PAGE)

    session, first = await database.read(begin)
    return _Patient(_stream(database, session, first), media_type="application/json")


async def _stream(database: Database, session: Session, found: Piece) -> AsyncIterator[bytes]:
    text = _Text(session)
    while True:
        for number, rows in found.rows:
            text.add(SOURCES[number].name, SOURCES[number].json(rows))
        if found.next is None:
            break
        yield text.take()
        await asyncio.sleep(0)  # neither SQLite nor a fast client lets others in
        found = await database.read(partial(_later, session_id=session.id, place=found.next))
    text.end()
    yield text.take()


def _later(connection: Connection, session_id: str, place: Place) -> Piece:
    if sessions.is_open(connection, session_id) is None:
        raise NotFound("session", session_id)
    return piece(connection, session_id, place, PAGE)


class _Text:
    """The detail as JSON, as far as it is written and not taken yet."""

    def __init__(self, session: Session) -> None:
        self._text = bytearray(head(session).model_dump_json(by_alias=True).encode()[:-1])
        self._reason = session.reason and Problem(
            what="session", subject=session.id, error=session.reason
        )
        self._list = ""
        self._empty = True

    def add(self, name: str, elements: bytes) -> None:
        """Writes elements of a list, and begins it if it is not the last one's."""
        if name != self._list:
            self._text += (b"]," if self._list else b",") + f'"{name}":['.encode()
            self._list, self._empty = name, True
            if name == "errors" and self._reason:
                self.add(name, self._reason.model_dump_json().encode())
        if elements:
            self._text += (b"" if self._empty else b",") + elements
            self._empty = False

    def end(self) -> None:
        """Writes the end of all."""
        self._text += b"]}"

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._text)
        self._text.clear()
        return taken


class _Patient(StreamingResponse):
    """Waits for a slow client, but not for ever."""

    async def stream_response(self, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        await super().stream_response(in_time)
