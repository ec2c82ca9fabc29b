"""The managers of all projects in one: takes messages, and answers when it is told to."""

import asyncio
from collections import defaultdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from fenix.cli.load.calls import Call, Caller, first_error

Payload = dict[str, Any]

UNANSWERED = ("INSTANCE_ACTION_DONE",)
"""States of messages that ask nothing."""


class Managers:
    """Receives all messages at one URL.

    Attributes:
        kept: the messages that nobody has answered yet, by session; each once.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._seen: set[str] = set()
        self._come = asyncio.Event()
        self.kept: dict[str, list[Payload]] = defaultdict(list)
        self.app = FastAPI()
        self.app.post("/")(self._take)

    async def _take(self, request: Request) -> JSONResponse:
        event = await request.json()
        if event["id"] not in self._seen and event["data"]["state"] not in UNANSWERED:
            self._seen.add(event["id"])
            self.kept[event["data"]["session_id"]].append(event["data"])
            self._come.set()
        return JSONResponse({})

    def count(self) -> int:
        """How many messages are kept."""
        return sum(map(len, self.kept.values()))

    def answers(self) -> list[Call]:
        """The answers that agree to all messages that are kept, which are forgotten."""
        found = [self._answer(one) for messages in self.kept.values() for one in messages]
        self.kept.clear()
        return found

    async def answer_all(self, caller: Caller, clients: int) -> None:
        """Answers each message at once, until cancelled."""
        slots = asyncio.Semaphore(clients)

        async def answer(call: Call) -> None:
            async with slots:
                await caller.one(*call)

        async with first_error(), asyncio.TaskGroup() as tasks:
            while True:
                await self._come.wait()
                self._come.clear()
                for call in self.answers():
                    tasks.create_task(answer(call))

    def _answer(self, payload: Payload) -> Call:
        path = str(payload["reply_url"]).removeprefix(self._endpoint)
        return "PUT", path, str(payload["project_id"]), {"state": f"ACK_{payload['state']}"}
