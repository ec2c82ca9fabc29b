"""A fake hypervisor that can be restarted, resized, slowed down and told to fail.

Nova's own fake drivers make up a new identity at each start, so Nova refuses their second one, or
forget their guests. This one keeps both in nova-compute's state folder, and reads its size and
behaviour from `devfake.json` there at every use; devcloud/hypervisor.py writes that file and says
what may be in it.

Nova loads it as `nova.virt.devfake.DevFakeDriver` (see zygote.py).
"""

import json
import os
import time

import nova.conf
import nova.virt.node
from nova import exception
from nova.virt import fake
from oslo_log import log as logging

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class _Guests(dict):
    """Server id -> FakeInstance, written to a file at each change."""

    def __init__(self, path):
        super().__init__()
        self._path = path
        try:
            with open(path) as file:
                saved = json.load(file)
        except FileNotFoundError:
            return
        for uuid, (name, state) in saved.items():
            super().__setitem__(uuid, fake.FakeInstance(name, state, uuid))

    def save(self):
        new = f"{self._path}.{time.monotonic_ns()}"  # several threads may save at once
        with open(new, "w") as file:
            json.dump({uuid: [g.name, g.state] for uuid, g in list(self.items())}, file)
        os.replace(new, self._path)

    def __setitem__(self, uuid, guest):
        super().__setitem__(uuid, guest)
        self.save()

    def __delitem__(self, uuid):
        super().__delitem__(uuid)
        self.save()


class DevFakeDriver(fake.FakeDriver):
    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self.instances = _Guests(os.path.join(CONF.state_path, "guests.json"))
        self._aborted = set()
        self._forced = set()

    def _behaviour(self):
        with open(os.path.join(CONF.state_path, "devfake.json")) as file:
            return json.load(file)

    def _fail_if_told(self, method, instance):
        behaviour = self._behaviour()
        only = behaviour["fail_instances"]
        if method in behaviour["fail"] and (not only or instance.uuid in only):
            raise exception.NovaException(f"devfake: {method} was told to fail")
        return behaviour

    # -- identity and inventory
    def init_host(self, host):
        self._host = host
        self._set_nodes([host])

    def get_available_resource(self, nodename):
        behaviour = self._behaviour()
        self.resources.vcpus = behaviour["vcpus"]
        self.resources.memory_mb = behaviour["memory_mb"]
        self.resources.local_gb = behaviour["disk_gb"]
        resources = super().get_available_resource(nodename)
        resources["uuid"] = nova.virt.node.get_local_node_uuid()
        return resources

    def get_nodenames_by_uuid(self, refresh=False):
        return {nova.virt.node.get_local_node_uuid(): self._nodes[0]}

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        behaviour = self._behaviour()
        self.vcpus = behaviour["vcpus"]
        self.memory_mb = behaviour["memory_mb"]
        self.local_gb = behaviour["disk_gb"]
        super().update_provider_tree(provider_tree, nodename, allocations)

    def get_host_uptime(self):
        return " 10:00:00 up 1 day,  1:00,  0 users,  load average: 0.0, 0.0, 0.0"

    # -- lifecycle
    def spawn(self, context, instance, *args, **kwargs):
        behaviour = self._fail_if_told("spawn", instance)
        time.sleep(behaviour["spawn_s"])
        super().spawn(context, instance, *args, **kwargs)

    def power_off(self, instance, timeout=0, retry_interval=0):
        super().power_off(instance, timeout, retry_interval)
        self.instances.save()

    def power_on(self, context, instance, *args, **kwargs):
        super().power_on(context, instance, *args, **kwargs)
        self.instances.save()

    # -- cold migration
    def migrate_disk_and_power_off(
        self,
        context,
        instance,
        dest,
        flavor,
        network_info,
        block_device_info=None,
        timeout=0,
        retry_interval=0,
    ):
        behaviour = self._fail_if_told("migrate_disk_and_power_off", instance)
        time.sleep(behaviour["cold_migration_s"])

    def finish_migration(self, context, migration, instance, *args, **kwargs):
        self._fail_if_told("finish_migration", instance)
        super().finish_migration(context, migration, instance, *args, **kwargs)

    # -- live migration
    def check_can_live_migrate_destination(self, context, instance, *args, **kwargs):
        if "check_can_live_migrate_destination" in self._behaviour()["fail"]:
            raise exception.MigrationPreCheckError(reason="devfake: was told to fail")
        return super().check_can_live_migrate_destination(context, instance, *args, **kwargs)

    def pre_live_migration(self, context, instance, *args, **kwargs):
        self._fail_if_told("pre_live_migration", instance)
        return super().pre_live_migration(context, instance, *args, **kwargs)

    def live_migration(
        self,
        context,
        instance,
        dest,
        post_method,
        recover_method,
        block_migration=False,
        migrate_data=None,
    ):
        self._aborted.discard(instance.uuid)
        self._forced.discard(instance.uuid)
        began = time.monotonic()
        while (
            time.monotonic() - began < self._behaviour()["live_migration_s"]
            and instance.uuid not in self._forced
        ):
            if instance.uuid in self._aborted:
                recover_method(context, instance, dest, migrate_data, migration_status="cancelled")
                return
            time.sleep(0.05)
        try:
            self._fail_if_told("live_migration", instance)
        except exception.NovaException:
            LOG.exception("live migration failed", instance=instance)
            recover_method(context, instance, dest, migrate_data)
            return
        post_method(context, instance, dest, block_migration, migrate_data)

    def live_migration_force_complete(self, instance):
        self._forced.add(instance.uuid)

    def live_migration_abort(self, instance):
        self._aborted.add(instance.uuid)

    def post_live_migration(self, context, instance, block_device_info, migrate_data=None):
        """Nova's fake leaves the guest on the source; it must go, or the host is never empty."""
        self.destroy(context, instance, network_info=None, block_device_info=block_device_info)
