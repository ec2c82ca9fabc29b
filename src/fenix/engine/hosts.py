"""Takes hosts out of the cloud's scheduling and gives them back, and tells of it."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from fenix.domain import HostNews, HostRecord, HostState
from fenix.engine.cloud_access import CloudAccess
from fenix.engine.composer import Composer
from fenix.engine.journal import Journal
from fenix.engine.outbox import Outbox
from fenix.engine.progress import percent_done
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.engine.waits import Waits
from fenix.store import Write, progress, sessions


class HostDesk:
    """The hosts of one session."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        outbox: Outbox,
        composer: Composer,
        access: CloudAccess,
        waits: Waits,
        settings: EngineSettings,
    ) -> None:
        self._data = data
        self._journal = journal
        self._outbox = outbox
        self._composer = composer
        self._access = access
        self._waits = waits
        self._settings = settings
        self._surely_disabled: set[str] = set()
        self._switching: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def reason(self) -> str:
        """What the cloud keeps as the reason for a host that the session has disabled."""
        return f"Fenix maintenance session {self._data.session.id}"

    async def set_host(
        self, name: str, state: HostState, why: str, news: HostNews | None, occasion: str = ""
    ) -> None:
        """See `fenix.workflows.Context.set_host`.

        Args:
            occasion: tells these news from others of the same kind in the same attempt.
        """
        now = self._data.now()
        host = replace(self._data.hosts[name], state=state, why=why)
        if state in (HostState.DRAINING, HostState.IN_MAINTENANCE) and host.started_at is None:
            host.started_at = now
        if state in (HostState.MAINTAINED, HostState.FAILED, HostState.SKIPPED):
            host.finished_at = now
        writes = [self._save(host), self._data.entry(f"host.{state.lower()}", why, host=name)]
        key = self._data.key(f"{news}:{name}{occasion}")
        message = self._data.messages.get(key) if news else None
        told = []
        if news and message is None:
            message = self._composer.host(key, name, news, now)
            told.append(message)
        session, percent = self._data.session, percent_done(self._data)
        if percent > session.percent_done:  # each one is told once, however many hosts there are
            session.percent_done = percent
            writes.append(sessions.save_progress(session.id, percent, session.waiting_for, now))
            told.append(
                self._composer.session(session.state, percent, f"host {name}: {state}", now)
            )
        await self._outbox.post_all(told, *writes)
        if message is None:
            return
        until = now + timedelta(seconds=self._settings.announce_limit)
        with self._waits.waiting("message channels", f"deliver {news} of host {name}", until):
            await self._outbox.delivered(message.id, self._settings.announce_limit)

    async def disable_host(self, name: str) -> None:
        """See `fenix.workflows.Context.disable_host`."""
        async with self._switching[name]:
            if name not in self._surely_disabled:
                await self._disable(name)

    async def _disable(self, name: str) -> None:
        # Written before the call: a host that we disabled must never be forgotten. That it was
        # somebody else instead shows when it is to be enabled: the cloud knows the reason.
        await self._journal.commit(
            self._save(replace(self._data.hosts[name], disabled_by_us=True)),
            self._data.entry("host.disabled", "nothing may be placed on it", host=name),
        )
        ours = await self._access.call(
            f"disabling host {name}", lambda: self._access.cloud.disable_host(name, self.reason)
        )
        self._surely_disabled.add(name)
        if not ours:
            await self._journal.commit(
                self._save(replace(self._data.hosts[name], disabled_by_us=False)),
                self._data.entry(
                    "host.left_disabled", "somebody else disabled it before", host=name
                ),
            )

    async def enable_host(self, name: str) -> None:
        """See `fenix.workflows.Context.enable_host`."""
        # Disabling may still be under way: a call that is tried again must not come after this one.
        async with self._switching[name]:
            if self._data.hosts[name].disabled_by_us:
                await self._enable(name)

    async def _enable(self, name: str) -> None:
        self._surely_disabled.discard(name)
        enabled = await self._access.call(
            f"enabling host {name}", lambda: self._access.cloud.enable_host(name, self.reason)
        )
        await self._journal.commit(
            self._save(replace(self._data.hosts[name], disabled_by_us=False)),
            self._data.entry("host.enabled", "it may be used again", host=name)
            if enabled
            else self._data.entry(
                "host.left_disabled", "somebody else disabled it meanwhile", host=name
            ),
        )

    def _save(self, host: HostRecord) -> Write:
        self._data.put_host(host)
        return progress.save_host(self._data.session.id, host)
