"""Takes messages in and has them answered, one way or the other.

Nothing is decided here: see `fenix.manager.behaviour`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from fenix.manager.backoff import patiently
from fenix.manager.behaviour import Behaviour, Reply, nack
from fenix.manager.errors import ManagerError, Refused
from fenix.manager.fenix_client import FenixClient
from fenix.manager.identity import Identity
from fenix.manager.memory import Memory
from fenix.manager.notice import MAINTENANCE_COMPLETE, SCALE_IN, Notice, Payload
from fenix.manager.ordering import Reorder
from fenix.manager.presence import Presence
from fenix.manager.replacing import OWN_ACTION
from fenix.manager.settings import ManagerSettings
from fenix.manager.tenant_cloud import TenantCloud
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)


class AppManager:
    """The manager of one application; lives within `running`."""

    def __init__(
        self,
        settings: ManagerSettings,
        cloud: TenantCloud,
        fenix: FenixClient,
        identity: Identity,
        memory: Memory,
    ) -> None:
        self._settings = settings
        self._cloud = cloud
        self._fenix = fenix
        self._memory = memory
        self._worker = Worker(settings.workers)
        self._behaviour = Behaviour(settings, cloud, self._worker, memory, fenix)
        self._presence = Presence(settings, cloud, self._worker, memory, fenix, identity)
        self._reorder = Reorder(settings.reorder, self._begin)
        self._whole = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_work: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Subscribes, takes up what an earlier life left behind, and cleans up at the end."""
        try:
            async with asyncio.TaskGroup() as self._group:
                for payload in self._memory.unfinished():
                    self._receive(Notice.from_payload(payload))
                self._spawn(self._presence.introduce())
                try:
                    yield
                finally:
                    self._group = None
                    for task in self._tasks:
                        task.cancel()
            await self._presence.leave()
        finally:
            self._cloud.close()
            self._worker.close()
            await self._fenix.close()
            self._memory.close()

    def receive(self, payload: Payload) -> None:
        """Takes a message; it is safe when this returns, and dealt with later.

        Raises:
            ValueError: it is malformed.
            Refused: its reply URL is none of Fenix's.
        """
        notice = Notice.from_payload(payload)
        self._fenix.ours(notice.reply_url)
        if self._memory.take(notice, payload) or not self._memory.is_finished(notice):
            self._receive(notice)
        else:
            LOG.info("%s %s came again", notice.state, notice.id)

    def status(self) -> dict[str, Any]:
        """What the manager knows and has done, for people and tests."""
        return {
            "subscription": self._presence.subscription,
            "messages": [line._asdict() for line in self._memory.lines()],
            "missing": [absence.name for absence in self._memory.missing()],
            "promised": sorted(self._behaviour.switch_over.promised),
            "capabilities": self._behaviour.capabilities,
        }

    # Messages

    def _receive(self, notice: Notice) -> None:
        if notice.id not in self._at_work:
            self._at_work.add(notice.id)
            self._reorder.add(notice)

    def _begin(self, notice: Notice) -> None:
        if self._group is None:
            return  # it is kept for our next life
        LOG.info("%s %s", notice.state, notice.id)
        if notice.is_question:
            self._spawn(self._deal_with(notice))
        else:
            self._behaviour.moved(notice)
            self._memory.finish(notice, "")
            self._at_work.discard(notice.id)

    async def _deal_with(self, notice: Notice) -> None:
        """Answers a question; when Fenix cannot be reached, it stays unfinished."""
        try:
            reply = await self._decide(notice)
            await patiently(
                f"reply {reply['state']}",
                self._settings.patience,
                lambda: self._fenix.reply(notice.reply_url, reply),
            )
            LOG.info("replied %s", reply)
            self._memory.finish(notice, reply["state"])
            self._note_changes(notice, reply)
        except Refused as error:
            LOG.error("the reply to %s %s is not taken: %s", notice.state, notice.id, error)
            self._memory.finish(notice, "")
        except ManagerError as error:
            LOG.error("%s %s stays unanswered: %s", notice.state, notice.id, error)
        finally:
            self._at_work.discard(notice.id)

    async def _decide(self, notice: Notice) -> Reply:
        # What concerns the whole application is done in order; single instances do not wait for
        # each other.
        order: AbstractAsyncContextManager[Any] = self._whole if notice.about_all else nullcontext()
        try:
            async with order:
                return await patiently(
                    notice.state, self._settings.patience, lambda: self._behaviour.answer(notice)
                )
        except ManagerError as error:
            LOG.warning("%s is refused: %s", notice.state, error)
        except Exception:
            LOG.exception("%s is refused: this is a bug", notice.state)
        return nack(notice)

    def _note_changes(self, notice: Notice, reply: Reply) -> None:
        actions = [*reply.get("instance_actions", {}).values(), reply.get("instance_action")]
        if notice.state in (SCALE_IN, MAINTENANCE_COMPLETE) or OWN_ACTION in actions:
            self._spawn(self._presence.register(self._settings.patience))

    # Tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(_guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    """One bug must not end all other work."""
    try:
        await work
    except Exception:
        LOG.exception("this is a bug")
