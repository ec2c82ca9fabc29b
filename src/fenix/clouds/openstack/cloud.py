"""The port's methods: each runs the blocking work in the driver's own threads."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from fenix.clouds.base import CloudError, MoveStatus, MoveTicket
from fenix.clouds.openstack import moves, switching
from fenix.clouds.openstack.api import Calls, Params
from fenix.clouds.openstack.connect import Connection
from fenix.clouds.openstack.groups import group, group_of_members, read_groups
from fenix.clouds.openstack.hosts import Hosts
from fenix.clouds.openstack.servers import instance
from fenix.domain import Group, Instance, Inventory, MoveAction
from fenix.threads import Threads

S = TypeVar("S")
T = TypeVar("T")


class OpenStackCloud:
    """One region of an OpenStack cloud; implements `fenix.clouds.Cloud`.

    Args:
        poll_interval: seconds between two looks at running moves.
        workers: threads that wait for answers.

    Attributes:
        calls: how many requests were made, by method and path (``GET /servers/{id}``).
    """

    def __init__(
        self, connection: Connection, calls: Calls, *, poll_interval: float, workers: int
    ) -> None:
        self.calls: Counter[str] = calls.counter
        self._connection = connection
        self._compute = connection.compute
        self._poll_interval = poll_interval
        self._hosts = Hosts(connection.compute, connection.placement)
        self._watch = moves.Watch(connection.compute)
        self._threads = Threads(workers, thread_name_prefix="openstack")

    async def inventory(self) -> Inventory:
        """See `fenix.clouds.Cloud.inventory`; hosts and instances are read side by side."""
        hosts, (groups, instances) = await self._both(self._hosts.read, self._read_instances)
        return Inventory(hosts=hosts, instances=instances, groups=groups)

    async def inventory_of(self, host: str) -> Inventory:
        """See `fenix.clouds.Cloud.inventory_of`."""
        hosts, instances = await self._both(
            partial(self._hosts.read_one, host), partial(self._read_servers, {"host": host}, {})
        )
        return Inventory(hosts=hosts, instances=instances if hosts else {})

    async def disable_host(self, host: str, reason: str) -> bool:
        return await self._run(switching.disable, self._compute, host, reason)

    async def enable_host(self, host: str, reason: str) -> bool:
        return await self._run(switching.enable, self._compute, host, reason)

    async def start_move(self, instance_id: str, action: MoveAction, target: str | None) -> None:
        await self._run(moves.start, self._compute, instance_id, action, target)

    async def confirm_move(self, instance_id: str) -> None:
        await self._run(moves.confirm, self._compute, instance_id)

    async def watch_moves(
        self, tickets: Collection[MoveTicket], wait: float
    ) -> Sequence[MoveStatus]:
        """See `fenix.clouds.Cloud.watch_moves`.

        With a `wait` the first look is one poll interval from now, so that a caller who asks
        again at once does not make the driver ask Nova without pause.
        """
        if not tickets:
            return ()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            left = deadline - loop.time()
            if left > 0:
                await asyncio.sleep(min(self._poll_interval, left))
            found = await self._run(self._watch.look, tickets)
            if found or loop.time() >= deadline:
                return found

    async def delete_instance(self, instance_id: str) -> None:
        await self._run(moves.delete, self._compute, instance_id)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connection.close()

    def _read_instances(self) -> tuple[Mapping[str, Group], Mapping[str, Instance]]:
        """Groups and instances by id."""
        server_groups = read_groups(self._compute)
        return (
            {each["id"]: group(each) for each in server_groups},
            self._read_servers({}, group_of_members(server_groups)),
        )

    def _read_servers(self, which: Params, group_of: Mapping[str, str]) -> Mapping[str, Instance]:
        """Instances by id; each page of servers is let go before the next is read."""
        asked = {"all_tenants": "true", **which}
        servers = self._compute.pages("/servers/detail", "servers", asked)
        found = (instance(server, group_of) for server in servers)
        return {each.id: each for each in found if each is not None}

    async def _both(self, one: Callable[[], T], other: Callable[[], S]) -> tuple[T, S]:
        """Runs two blocking works side by side."""
        try:
            async with asyncio.TaskGroup() as tasks:
                first = tasks.create_task(self._run(one))
                second = tasks.create_task(self._run(other))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return first.result(), second.result()

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        """Runs blocking work in one of the driver's threads.

        Raises:
            CloudError: an answer lacks what Nova or Placement promise in it.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, partial(work, *args))
        except (KeyError, TypeError, ValueError) as error:
            raise CloudError(f"an answer of the cloud is not as documented: {error!r}") from error
