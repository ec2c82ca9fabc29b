"""A cloud in memory: capacity, a scheduler, moves that take time and hold room on both hosts.

It behaves as the scenario format says ("What the simulated world does") and tells everything that
happens to it to its listeners: they know the truth, whatever an engine believes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from fenix.clouds.base import CloudError, MovePhase
from fenix.clouds.simulated.model import (
    Fault,
    SimulatedGroup,
    SimulatedHost,
    SimulatedInstance,
    SimulatedMove,
)
from fenix.domain import (
    Group,
    Host,
    HostType,
    Instance,
    InstanceStatus,
    Inventory,
    MoveAction,
    Resources,
    keeps_out,
)

Listener = Callable[[float, str, dict[str, Any]], None]
"""Called with the event loop's time in seconds, the kind of event and its keys."""


class World:
    """The state of a simulated cloud and all that can be done to it.

    Args:
        hosts: the cloud's hosts, empty.
        groups: its server groups.
        instances: each is placed on the host that it names.

    Raises:
        CloudError: an instance names an unknown host, or a host would be over its capacity.
    """

    def __init__(
        self,
        hosts: Iterable[SimulatedHost],
        groups: Iterable[SimulatedGroup] = (),
        instances: Iterable[SimulatedInstance] = (),
    ) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.groups = {group.id: group for group in groups}
        self.instances: dict[str, SimulatedInstance] = {}
        self.moves: dict[str, SimulatedMove] = {}
        self.moves_of: dict[str, list[SimulatedMove]] = defaultdict(list)
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        """What goes wrong with the next moves of an instance, by its id."""
        self.listeners: list[Listener] = []
        self.changed = asyncio.Event()
        """Set whenever a move ends or an instance vanishes; whoever waits clears it by `pulse`."""
        self._hosts: dict[str, Host] = {}
        self._instances: dict[str, Instance] = {}
        self._on: dict[str, dict[str, Instance]] = defaultdict(dict)
        """What the inventory shows, also by host."""
        self._new_hosts: dict[str, None] = dict.fromkeys(self.hosts)
        self._new_instances: dict[str, None] = {}
        """What has changed since the inventory was read."""
        self._inventory: Inventory | None = None
        self._ids = 0
        for instance in instances:
            host = self._host(instance.host)
            if not instance.size.fits(host.capacity.minus(host.used)):
                raise CloudError(f"host {host.name} has no room for instance {instance.id}")
            self.instances[instance.id] = instance
            self._new_instances[instance.id] = None
            self._occupy(host, instance)

    # What happened

    def emit(self, kind: str, **keys: Any) -> None:
        """Tells the listeners."""
        now = asyncio.get_running_loop().time()
        for listener in self.listeners:
            listener(now, kind, keys)

    def pulse(self) -> None:
        """Wakes all who wait for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    # What it says about itself

    def inventory(self) -> Inventory:
        """Everything, as the port wants it; one that has not changed is the same object."""
        self._renew()
        if self._inventory is None:
            groups = {
                ident: Group(
                    ident, group.project_id, group.anti_affinity, group.max_instances_per_host
                )
                for ident, group in self.groups.items()
            }
            self._inventory = Inventory(dict(self._hosts), dict(self._instances), groups)
        return self._inventory

    def inventory_of(self, name: str) -> Inventory:
        """See `Cloud.inventory_of`."""
        self._renew()
        if name not in self._hosts:
            return Inventory({}, {})
        return Inventory({name: self._hosts[name]}, dict(self._on[name]))

    def _renew(self) -> None:
        """Shows what has changed."""
        if self._new_hosts or self._new_instances:
            self._inventory = None
        for name in self._new_hosts:
            if host := self.hosts.get(name):
                self._hosts[name] = self._shown_host(host)
            else:
                self._hosts.pop(name, None)
        for ident in self._new_instances:
            if before := self._instances.get(ident):
                del self._on[before.host][ident]
            if instance := self.instances.get(ident):
                shown = self._instances[ident] = self._shown_instance(instance)
                self._on[shown.host][ident] = shown
            else:
                self._instances.pop(ident, None)
        self._new_hosts.clear()
        self._new_instances.clear()

    def touch(self) -> None:
        """Has the next inventory show what was changed by hand."""
        self._new_hosts = dict.fromkeys([*self._hosts, *self.hosts])
        self._new_instances = dict.fromkeys([*self._instances, *self.instances])

    @staticmethod
    def _shown_host(host: SimulatedHost) -> Host:
        return Host(
            name=host.name,
            capacity=host.capacity,
            used=host.used,
            type=host.type,
            enabled=host.enabled,
            disabled_reason=host.disabled_reason,
            up=host.up,
            zone=host.zone,
            projects=host.projects,
            offers=host.offers,
        )

    def _shown_instance(self, instance: SimulatedInstance) -> Instance:
        return Instance(
            id=instance.id,
            name=instance.name,
            project_id=instance.project_id,
            host=instance.host,
            size=instance.size,
            group_id=instance.group_id,
            status=self._status(instance),
            zone=instance.zone,
            requires=instance.requires,
        )

    # Hosts

    def disable_host(self, name: str, reason: str) -> bool:
        """See `Cloud.disable_host`."""
        host = self._host(name)
        if not host.enabled:
            return host.disabled_reason == reason
        host.enabled, host.disabled_reason = False, reason
        self._new_hosts[name] = None
        self.emit("host.disabled", host=name)
        return True

    def enable_host(self, name: str, reason: str) -> bool:
        """See `Cloud.enable_host`."""
        host = self._host(name)
        if host.enabled:
            return True
        if host.disabled_reason != reason:
            return False
        host.enabled, host.disabled_reason = True, None
        self._new_hosts[name] = None
        self.emit("host.enabled", host=name)
        return True

    def set_host_up(self, name: str, up: bool) -> None:
        """Makes a host die or come back; moves from or to a dead one fail."""
        self._host(name).up = up
        self._new_hosts[name] = None
        if not up:
            for move in list(self.moves.values()):
                if move.phase is MovePhase.RUNNING and name in (move.source, move.target):
                    self._fail(move, f"host {name} is down", Fault.FAILS)
        self.pulse()

    # Instances

    def create_instance(self, instance: SimulatedInstance, avoid: str = "") -> SimulatedInstance:
        """Starts an instance where the scheduler likes best; its `host` is set.

        Args:
            avoid: a host that does not count.

        Raises:
            CloudError: no valid host was found.
        """
        host = self._schedule(instance, exclude=avoid)
        instance.host = host.name
        self.instances[instance.id] = instance
        self._new_instances[instance.id] = None
        self._occupy(host, instance)
        self.emit(
            "instance.created",
            instance=instance.id,
            host=host.name,
            project=instance.project_id,
            group=instance.group_id,
            vcpus=instance.size.vcpus,
            memory_mb=instance.size.memory_mb,
            disk_gb=instance.size.disk_gb,
        )
        return instance

    def delete_instance(self, ident: str) -> None:
        """Removes an instance and whatever move it is in; nothing happens where there is none."""
        instance = self.instances.pop(ident, None)
        if instance is None:
            return
        self._new_instances[ident] = None
        places = {instance.host}
        for move in self.moves_of.get(ident, ()):
            if move.phase in (MovePhase.RUNNING, MovePhase.AWAITING_CONFIRM):
                move.phase = MovePhase.GONE
                places |= {move.source, move.target}
        for name in places:
            self._vacate(self.hosts[name], instance)
        self.emit("instance.deleted", instance=ident, host=instance.host)
        self.pulse()

    def new_id(self, prefix: str) -> str:
        """An id that no other thing of this world has."""
        self._ids += 1
        return f"{prefix}-{self._ids:06d}"

    # Moves

    def start_move(self, ident: str, action: MoveAction, target: str | None) -> SimulatedMove:
        """Starts a move.

        Raises:
            CloudError: no such instance, it is busy, the target does not take it, or the action
                is the application's own.
        """
        if action is MoveAction.OWN_ACTION:
            raise CloudError(f"{action} is no move of the cloud's")
        instance = self.instances.get(ident)
        if instance is None:
            raise CloudError(f"instance {ident} could not be found")
        if self._status(instance) is not InstanceStatus.ACTIVE:
            raise CloudError(f"instance {ident} is {self._status(instance)}")
        faults = self.faults.get(ident)
        fault = faults.pop(0) if faults else None
        if fault is Fault.REFUSED:
            raise CloudError(f"the move of instance {ident} is refused")
        if target is None:
            host = self._schedule(instance, exclude=instance.host)
        else:
            host = self._host(target)
            obstacle = self.obstacle(host, instance)
            if obstacle:
                raise CloudError(f"host {target} does not take instance {ident}: {obstacle}")
        loop = asyncio.get_running_loop()
        move = SimulatedMove(
            self.new_id("move"), ident, action, instance.host, host.name, loop.time(), fault=fault
        )
        self.moves[move.id] = move
        self.moves_of[ident].append(move)
        self._new_instances[ident] = None
        self._occupy(host, instance)
        self.emit(
            "instance.move.started",
            instance=ident,
            source=instance.host,
            target=host.name,
            action=action.value,
        )
        live = action is MoveAction.LIVE_MIGRATE
        seconds = instance.live_migration_seconds if live else instance.migration_seconds
        if fault is not Fault.STUCK:
            loop.call_later(seconds, self._arrive, move)
        return move

    def confirm_move(self, ident: str) -> None:
        """See `Cloud.confirm_move`."""
        for move in self.moves_of.get(ident, ()):
            if move.phase is MovePhase.AWAITING_CONFIRM:
                self._finish(move)

    def obstacle(self, host: SimulatedHost, instance: SimulatedInstance) -> str | None:
        """Why the scheduler would not place the instance on the host; None: it would."""
        if host.type is not HostType.COMPUTE:
            return "it is not a compute host"
        if not host.enabled:
            return "it is disabled"
        if not host.up:
            return "it is down"
        if never := keeps_out(host, instance):
            return never
        if host.name == instance.host:
            return "the instance is there already"
        room = host.capacity.minus(host.used)
        if not instance.size.fits(room):
            return f"it has only {room} free"
        group = self.groups.get(instance.group_id) if instance.group_id else None
        if group and group.per_host is not None:
            here = host.members.get(group.id, 0)
            if here >= group.per_host:
                return f"it has {here} of at most {group.per_host} members of group {group.id}"
        return None

    def _arrive(self, move: SimulatedMove) -> None:
        if move.phase is not MovePhase.RUNNING:
            return
        if move.fault in (Fault.FAILS, Fault.ERROR):
            self._fail(move, "the move failed in the middle", move.fault)
        elif move.action is MoveAction.MIGRATE:
            move.phase = MovePhase.AWAITING_CONFIRM
            self._set_host(move)
            self.pulse()
        else:
            self._set_host(move)
            self._finish(move)

    def _set_host(self, move: SimulatedMove) -> None:
        self.instances[move.instance_id].host = move.target
        self._new_instances[move.instance_id] = None

    def _finish(self, move: SimulatedMove) -> None:
        instance = self.instances[move.instance_id]
        move.phase = MovePhase.DONE
        self._new_instances[instance.id] = None
        self._vacate(self.hosts[move.source], instance)
        self.emit("instance.move.finished", instance=instance.id, host=instance.host, ok=True)
        self.pulse()

    def _fail(self, move: SimulatedMove, detail: str, fault: Fault) -> None:
        instance = self.instances[move.instance_id]
        move.phase, move.detail = MovePhase.FAILED, detail
        if fault is Fault.ERROR:
            instance.status = InstanceStatus.ERROR
        self._new_instances[instance.id] = None
        self._vacate(self.hosts[move.target], instance)
        self.emit("instance.move.finished", instance=instance.id, host=instance.host, ok=False)
        self.pulse()

    # Room

    def _host(self, name: str) -> SimulatedHost:
        host = self.hosts.get(name)
        if host is None:
            raise CloudError(f"host {name} could not be found")
        return host

    def _schedule(self, instance: SimulatedInstance, exclude: str) -> SimulatedHost:
        fitting = [
            host
            for host in self.hosts.values()
            if host.name != exclude and self.obstacle(host, instance) is None
        ]
        if not fitting:
            raise CloudError(f"no valid host was found for instance {instance.id}")
        return max(fitting, key=lambda host: (host.capacity.vcpus - host.used.vcpus, host.name))

    def _status(self, instance: SimulatedInstance) -> InstanceStatus:
        moves = self.moves_of.get(instance.id)
        if moves and moves[-1].phase in (MovePhase.RUNNING, MovePhase.AWAITING_CONFIRM):
            return InstanceStatus.BUSY
        return instance.status

    def _occupy(self, host: SimulatedHost, instance: SimulatedInstance) -> None:
        self._account(host, instance, host.used.plus(instance.size), 1)

    def _vacate(self, host: SimulatedHost, instance: SimulatedInstance) -> None:
        self._account(host, instance, host.used.minus(instance.size), -1)

    def _account(
        self, host: SimulatedHost, instance: SimulatedInstance, used: Resources, members: int
    ) -> None:
        host.used = used
        if instance.group_id:
            host.members[instance.group_id] = host.members.get(instance.group_id, 0) + members
        self._new_hosts[host.name] = None
