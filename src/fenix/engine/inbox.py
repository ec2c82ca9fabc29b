"""Matches replies with the questions that they answer.

Only the first fitting reply to an open question counts. All others are noted and change nothing:
existing managers answer twice, late, and what was not asked (wire contract, "Project API").
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cachetools import Cache, FIFOCache
from sqlalchemy import Connection

from fenix.domain import Message, MoveAction, Reply
from fenix.engine.journal import Journal
from fenix.engine.outbox import Outbox
from fenix.engine.state import SessionData
from fenix.engine.waits import Waits
from fenix.metrics import REPLIES
from fenix.store import Write, messages, progress, replies

REMEMBERED = 100_000
"""How many replies a session remembers to have taken: one that is read twice counts once."""

Subject = tuple[str, str, str | None]
"""Project, state of the message, and the instance where the reply is about one."""


class Inbox:
    """The questions of one session that wait for replies."""

    def __init__(self, data: SessionData, journal: Journal, outbox: Outbox, waits: Waits) -> None:
        self._data = data
        self._journal = journal
        self._outbox = outbox
        self._waits = waits
        self._open: dict[Subject, str] = {}
        self._answers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._taken: Cache[int, bool] = FIFOCache(REMEMBERED)
        self._since = data.now()
        for message in data.messages.values():
            if message.reply_by is not None and message.replied_at is None:
                self.expect(message)

    def expect(self, message: Message) -> None:
        """Lets replies to this message count."""
        for subject in self._subjects(message):
            self._open[subject] = message.key

    async def answer(self, key: str) -> Reply | None:
        """Waits for the reply to a message, until silence is final; so may several at a time.

        Returns:
            The reply, or None.
        """
        while (message := self._data.messages[key]).replied_at is None:
            await self._wait(message)
            message = self._data.messages[key]
            if message.replied_at is not None:
                break
            # One may have come in while this engine did not reach the database.
            for waiting in await self._journal.read(self._waiting):
                await self.take(waiting)
            message = self._data.messages[key]
            if message.replied_at is None and self._left(message) <= 0:
                await self._close(message, {"state": None}, ())
                return None
        reply = message.reply or {}
        if not reply.get("state"):
            return None
        actions = reply.get("instance_actions", {})
        return Reply(
            session_id=self._data.session.id,
            project_id=message.project_id,
            state=reply["state"],
            instance_actions={one: MoveAction(action) for one, action in actions.items()},
        )

    async def take(self, reply: Reply) -> None:
        """Takes a reply out of the inbox, whether it counts or not."""
        if reply.id in self._taken:
            return
        self._taken[reply.id] = True
        word, _, state = reply.state.partition("_")
        subject = (reply.project_id, state, reply.instance_id)
        key = self._open.get(subject)
        if key is None or word not in ("ACK", "NACK"):
            await self._journal.commit(replies.ignored(reply))
            return
        message = self._data.messages[key]
        spent = (self._data.now() - message.created_at).total_seconds()
        REPLIES.labels(message.state, word).observe(spent)
        actions = dict(reply.instance_actions)
        project = replace(self._data.projects[reply.project_id], reply=reply.state)
        self._data.projects[project.id] = project
        await self._close(
            message,
            {"state": reply.state, "instance_actions": actions},
            (
                replies.taken(reply.id, f"answers {key}"),
                progress.save_project(self._data.session.id, project),
                self._data.entry(
                    "project.replied",
                    reply.state,
                    project=reply.project_id,
                    instance=reply.instance_id,
                ),
            ),
        )
        for waiter in self._answers.get(key, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def _wait(self, message: Message) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._answers[message.key].add(waiter)
        try:
            while (left := self._left(message)) > 0 and not waiter.done():
                until = self._data.now() + timedelta(seconds=left)
                with self._waits.waiting(*self._subject_of_wait(message), until):
                    await asyncio.wait([waiter], timeout=left)
        finally:
            self._answers[message.key].discard(waiter)
            if not self._answers[message.key]:
                del self._answers[message.key]

    def _left(self, message: Message) -> float:
        """Seconds until silence is final.

        A question from before this engine had the session, or from before the database was away,
        gets its whole window again: it may not have gone out, or the answer may have found nobody.
        So does one that was taken late. One that nobody takes waits for that only as long again, or
        for some tries; but while a channel itself is away, time stands still.
        """
        if message.reply_by is None:
            return 0.0
        now = self._data.now()
        window = message.reply_by - message.created_at
        begin = max(message.created_at, self._since)
        if (back_at := self._journal.back_at) is not None:
            ago = asyncio.get_running_loop().time() - back_at
            begin = max(begin, now - timedelta(seconds=ago))
        if taken_at := self._outbox.taken_at(message.id):
            begin = max(begin, taken_at)
        elif self._outbox.untried(message.id) or self._outbox.held_up(message.id):
            begin = now
        elif now >= begin + window and self._outbox.failing(message.id):
            begin += max(window, self._outbox.patience)
        return (begin + window - now).total_seconds()

    def _subject_of_wait(self, message: Message) -> tuple[str, str]:
        """Who has to do what."""
        if self._outbox.failing(message.id):
            return "message channels", f"deliver {message.state} to project {message.project_id}"
        what = f"reply to {message.state}"
        if not message.payload["reply_url"].endswith(f"/{message.project_id}"):
            what += f" for instance {message.instance_ids[0]}"
        return f"project {message.project_id}", what

    def _waiting(self, connection: Connection) -> Sequence[Reply]:
        return replies.waiting(connection, [self._data.session.id])

    async def _close(
        self, message: Message, reply: dict[str, Any], writes: Sequence[Write]
    ) -> None:
        closed = replace(message, reply=reply, replied_at=self._data.now())
        for subject in self._subjects(message):
            self._open.pop(subject, None)
        self._data.messages[message.key] = closed
        await self._journal.commit(*writes, messages.save_reply(closed))

    def _subjects(self, message: Message) -> list[Subject]:
        subjects: list[Subject] = []
        if message.payload["reply_url"].endswith(f"/{message.project_id}"):
            subjects.append((message.project_id, message.state, None))
        # A manager may answer for each instance of a list, or for one without its id.
        if len(message.instance_ids) == 1:
            subjects.append((message.project_id, message.state, message.instance_ids[0]))
        return subjects
