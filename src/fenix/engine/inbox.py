"""Matches replies with the questions that they answer.

Only the first fitting reply to an open question counts. All others are noted and change nothing:
existing managers answer twice, late, and what was not asked (wire contract, "Project API").
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fenix.domain import Message, MoveAction, Reply
from fenix.engine.journal import Journal
from fenix.engine.state import SessionData
from fenix.store import Write, messages, progress, replies

Subject = tuple[str, str, str | None]
"""Project, state of the message, and the instance where the reply is about one."""


class Inbox:
    """The questions of one session that wait for replies."""

    def __init__(self, data: SessionData, journal: Journal) -> None:
        self._data = data
        self._journal = journal
        self._open: dict[Subject, str] = {}
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._since = data.now()
        for message in data.messages.values():
            if message.reply_by is not None and message.replied_at is None:
                self.expect(message)

    def expect(self, message: Message) -> None:
        """Lets replies to this message count."""
        for subject in self._subjects(message):
            self._open[subject] = message.key

    async def answer(self, key: str) -> Reply | None:
        """Waits for the reply to a message, until silence is final.

        Returns:
            The reply, or None.
        """
        message = self._data.messages[key]
        if message.replied_at is None:
            await self._wait(message)
        message = self._data.messages[key]
        if message.replied_at is None:
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
        word, _, state = reply.state.partition("_")
        subject = (reply.project_id, state, reply.instance_id)
        key = self._open.get(subject)
        if key is None or word not in ("ACK", "NACK"):
            await self._journal.commit(replies.taken(reply.id, "ignored: nothing waits for it"))
            return
        message = self._data.messages[key]
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
        waiter = self._answers.get(key)
        if waiter and not waiter.done():
            waiter.set_result(None)

    async def _wait(self, message: Message) -> None:
        waiter = self._answers[message.key] = asyncio.get_running_loop().create_future()
        try:
            while (left := self._left(message)) > 0 and not waiter.done():
                await asyncio.wait([waiter], timeout=left)
        finally:
            del self._answers[message.key]

    def _left(self, message: Message) -> float:
        """Seconds until silence is final.

        A question from before this engine had the session gets its whole window again: it may not
        have gone out, or the answer may have found nobody.
        """
        if message.reply_by is None:
            return 0.0
        window = message.reply_by - message.created_at
        end = max(message.created_at, self._since) + window
        return (end - self._data.now()).total_seconds()

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
