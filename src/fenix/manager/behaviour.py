"""What the application does about each message: the part to change for an application of one's own.

Everything here can be done twice: a message comes again when Fenix is not sure that it arrived, and
is handled again when the cloud did not answer or the manager was restarted.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fenix.manager import notice as states
from fenix.manager.errors import Refused
from fenix.manager.fenix_client import FenixClient
from fenix.manager.memory import Memory
from fenix.manager.notice import Notice
from fenix.manager.replacing import OWN_ACTION, Replacing
from fenix.manager.scaling import Scaling
from fenix.manager.settings import ManagerSettings
from fenix.manager.switch_over import SwitchOver
from fenix.manager.tenant_cloud import TenantCloud, TenantInstance
from fenix.manager.worker import Worker

LOG = logging.getLogger(__name__)

Reply = dict[str, Any]


class Behaviour:
    """Decides on replies.

    Attributes:
        capabilities: what each instance may use since it runs on a host that is maintained, by id.
    """

    def __init__(
        self,
        settings: ManagerSettings,
        cloud: TenantCloud,
        worker: Worker,
        memory: Memory,
        fenix: FenixClient,
    ) -> None:
        self._settings = settings
        self._cloud = cloud
        self._worker = worker
        self._memory = memory
        self._fenix = fenix
        self._scaling = Scaling(settings, cloud, worker, memory)
        self._replacing = Replacing(cloud, worker, memory)
        self.switch_over = SwitchOver(cloud, worker, settings.switch_over_timeout)
        self._planned: set[str] = set()
        self.capabilities: dict[str, Mapping[str, Any]] = {}

    async def answer(self, notice: Notice) -> Reply:
        """Does what a question asks for, and says what to reply.

        Raises:
            Unavailable: to be called again later.
            Refused: it cannot be done; the reply is NACK.
        """
        match notice.state:
            case states.MAINTENANCE:
                return await self._agree(notice)
            case states.SCALE_IN:
                return await self._scale_in(notice)
            case states.MAINTENANCE_COMPLETE:
                return await self._complete(notice)
            case _:
                return await self._release(notice)

    def moved(self, notice: Notice) -> None:
        """Takes note of INSTANCE_ACTION_DONE."""
        self.switch_over.moved(notice)
        for ident in notice.instance_ids:
            LOG.info("instance %s was moved", ident)
            if ident in self._planned:
                self._use_capabilities(ident, notice)

    async def _agree(self, notice: Notice) -> Reply:
        """MAINTENANCE: a session begins; agree, if it means us."""
        self.switch_over.free_all()
        ids = await self._ids(notice)
        self._names(ids, await self._worker(self._cloud.instances))
        return ack(notice)

    async def _scale_in(self, notice: Notice) -> Reply:
        """SCALE_IN: give back capacity."""
        if self._memory.is_late(notice):
            raise Refused("the session is over already")
        if not await self._scaling.scale_in(notice):
            raise Refused("there is nothing left to delete")
        return ack(notice)

    async def _complete(self, notice: Notice) -> Reply:
        """MAINTENANCE_COMPLETE: all hosts are back; take the capacity again."""
        self.switch_over.free_all()
        await self._scaling.scale_out()
        return ack(notice)

    async def _release(self, notice: Notice) -> Reply:
        """PREPARE_ and PLANNED_MAINTENANCE: let instances be moved, and say how."""
        async with self.switch_over.turn:
            ids = await self._ids(notice)
            instances = await self._worker(self._cloud.instances)
            names = self._names(ids, instances)
            actions = {ident: self._action(name, notice) for ident, name in names.items()}
            blocked = await self.switch_over.attempt(notice, actions, instances)
        await self.switch_over.insist(notice, actions, blocked)
        try:
            await self._act(notice, actions)
        except BaseException:
            self.switch_over.free(actions)
            raise
        if len(notice.instance_ids) == 1:
            return ack(notice, instance_action=actions[notice.instance_ids[0]])
        return ack(notice, instance_actions=actions)

    async def _act(self, notice: Notice, actions: Mapping[str, str]) -> None:
        """Does what is ours to do, one instance after the other, before Fenix does the rest."""
        planned = notice.state == states.PLANNED_MAINTENANCE
        for ident, action in actions.items():
            if action == OWN_ACTION:
                new = await self._replacing.replace(notice, ident)
                self.switch_over.free([ident])
                if planned:
                    self._use_capabilities(new, notice)
            elif planned:
                self._planned.add(ident)

    async def _ids(self, notice: Notice) -> Sequence[str]:
        """The instances that a message concerns."""
        if notice.list_url is None:
            return notice.instance_ids
        return await self._fenix.instance_ids(notice.list_url)

    def _names(self, ids: Collection[str], instances: Sequence[TenantInstance]) -> dict[str, str]:
        """The names of instances that are ours, or were until we replaced them, by id.

        Raises:
            Refused: one is not.
        """
        names = {instance.id: instance.name for instance in instances}
        found = {}
        for ident in ids:
            absence = self._memory.absence(ident)
            if ident in names:
                found[ident] = names[ident]
            elif absence is not None:
                found[ident] = absence.name
            else:
                raise Refused(f"instance {ident} is not ours")
        return found

    def _action(self, name: str, notice: Notice) -> str:
        """What is configured for an instance, or else the mildest that Fenix allows."""
        wanted = self._settings.action_for(name)
        for action in (wanted, "LIVE_MIGRATE", "MIGRATE"):
            if action in notice.allowed_actions:
                return action
        raise Refused(f"none of our actions is among {notice.allowed_actions}")

    def _use_capabilities(self, instance_id: str, notice: Notice) -> None:
        """A real application would begin to use new features of the host here."""
        self.capabilities[instance_id] = notice.metadata
        LOG.info("instance %s uses %s", instance_id, dict(notice.metadata))


def ack(notice: Notice, **more: Any) -> Reply:
    """The reply that agrees."""
    return {"session_id": notice.session_id, "state": f"ACK_{notice.state}", **more}


def nack(notice: Notice) -> Reply:
    """The reply that refuses."""
    return {"session_id": notice.session_id, "state": f"NACK_{notice.state}"}
