"""Workflow `vnf` and clouds that refuse a move for a while, though it is possible.

Nova's scheduler goes on counting a member of an anti-affinity group on the host it has left by a
live migration, until the computes report what runs on them (scheduler_instance_sync_interval).
"""

from datetime import timedelta

from fenix.clouds.simulated import Fault
from tests.simulation.play import perform
from tests.simulation.test_vnf_managers import vnf

SYNC = timedelta(seconds=120)
"""Nova's default for scheduler_instance_sync_interval."""


def test_the_last_try_comes_when_the_scheduler_knows_again_where_instances_are() -> None:
    ending = perform(vnf(faults=[{"instance": "i-1", "move": Fault.FAILS, "times": 2}]))
    first, second, third = [one for one in ending.moves if one.instance_id == "i-1"][:3]
    assert (first.state, second.state, third.state) == ("FAILED", "FAILED", "DONE")
    assert second.finished_at is not None
    assert third.started_at - second.finished_at > SYNC
