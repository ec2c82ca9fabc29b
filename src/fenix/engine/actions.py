"""Runs a session's action plug-ins, each run once, whatever happens to the engine."""

import logging
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from fenix.actions import ActionRequest, ActionResult, ActionRunner
from fenix.domain import ActionRecord, ActionSpec, ActionState
from fenix.engine.grip import Grip
from fenix.engine.journal import Journal
from fenix.engine.settings import EngineSettings
from fenix.engine.state import SessionData
from fenix.logs import about
from fenix.metrics import ACTIONS
from fenix.store import progress

log = logging.getLogger(__name__)


class ActionDesk:
    """The action runs of one session."""

    def __init__(
        self,
        data: SessionData,
        journal: Journal,
        grip: Grip,
        runner: ActionRunner,
        settings: EngineSettings,
    ) -> None:
        self._data = data
        self._journal = journal
        self._grip = grip
        self._runner = runner
        self._settings = settings

    async def run(self, key: str, spec: ActionSpec, host: str | None) -> ActionRecord:
        """See `fenix.workflows.Context.run_action`; what was done is not done in a new attempt."""
        session = self._data.session
        for attempt in range(self._data.attempt + 1):
            known = self._data.actions.get(f"{attempt}~{key}" if attempt else key)
            if known and known.state is ActionState.DONE:
                return known
        key = self._data.key(key)
        record = self._data.actions.get(key)
        if record is None:
            record = ActionRecord(
                id=str(uuid5(NAMESPACE_URL, f"fenix:{session.id}:action:{key}")),
                key=key,
                plugin=spec.plugin,
                type=spec.type,
                host=host,
                metadata=spec.metadata,
                started_at=self._data.now(),
            )
            self._data.actions[key] = record
            self._data.executors[key] = self._settings.machine
            await self._journal.commit(
                progress.save_action(session.id, record, self._settings.machine),
                self._data.entry("action.started", f"{spec.type} action {spec.plugin}", host=host),
            )
        if record.state is ActionState.INTENDED:
            record = await self._finish(record)
        return record

    async def settle(self) -> None:
        """Waits for the runs that are under way."""
        for record in list(self._data.actions.values()):
            if record.state is ActionState.INTENDED:
                await self._finish(record)

    async def _finish(self, record: ActionRecord) -> ActionRecord:
        session = self._data.session
        executor = self._data.executors[record.key]
        if executor != self._settings.machine:
            # Its process was on a machine that this engine can't see.
            result = ActionResult(
                f"the engine on {executor} that ran it is gone, its outcome is not known"
            )
        else:
            await self._grip.assure()
            with about(host=record.host):
                result = await self._runner.run(
                    ActionRequest(
                        run_id=record.id,
                        session_id=session.id,
                        plugin=record.plugin,
                        type=record.type,
                        host=record.host,
                        metadata=record.metadata,
                        session_metadata=session.request.metadata,
                        time_limit=session.request.options.action_timeout,
                    )
                )
        ended = replace(
            record,
            state=ActionState.FAILED if result.error else ActionState.DONE,
            finished_at=self._data.now(),
            error=result.error,
            log=result.log,
        )
        self._data.actions[record.key] = ended
        spent = (self._data.now() - record.started_at).total_seconds()
        ACTIONS.labels(record.plugin, record.type, ended.state).observe(spent)
        await self._journal.commit(
            progress.save_action(session.id, ended, executor),
            self._data.entry(
                "action.failed" if result.error else "action.finished",
                f"{record.type} action {record.plugin}: {result.error or 'done'}",
                host=record.host,
            ),
        )
        return ended
