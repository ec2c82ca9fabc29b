"""Instances go only where the aggregates of a host let them in, without a try elsewhere."""

import pytest

from fenix.domain import MoveState
from fenix.simulation.running import Stage
from tests.simulation.play import perform
from tests.simulation.scenes import host, instance, project, scene

SSD = frozenset({"disk=ssd"})
HOSTS = [f"compute-{number}" for number in (1, 2, 3, 4)]


def restrict(stage: Stage) -> None:
    """Two hosts offer what one instance asks for; one is kept for another project."""
    world = stage.world
    for name in ("compute-1", "compute-4"):
        world.hosts[name].offers = SSD
    world.hosts["compute-3"].projects = frozenset({"other"})
    world.instances["picky"].requires = SSD
    world.touch()


@pytest.mark.parametrize("workflow", ["default", "vnf"])
def test_only_where_aggregates_let_them(workflow: str) -> None:
    full = {"vcpus": 8, "memory_mb": 8192, "disk_gb": 80}
    scenario = scene(
        hosts=[host(name, **full) for name in HOSTS],
        projects=[project("app"), project("other")],
        groups=[],
        instances=[
            instance("picky", "compute-1"),
            *(instance(f"plain-{number}", "compute-2") for number in (1, 2)),
            instance("owner", "compute-3", project="other"),
        ],
        session={"workflow": workflow},
    )
    ending = perform(scenario, prepare=restrict)
    assert {move.state for move in ending.moves} == {MoveState.DONE}
    went = {(move.instance_id, move.target) for move in ending.moves}
    assert {target for ident, target in went if ident == "picky"} <= {"compute-1", "compute-4"}
    assert "compute-3" not in {target for ident, target in went if ident.startswith("plain")}
    assert {"picky", "plain-1", "plain-2", "owner"} <= {ident for ident, _ in went}
