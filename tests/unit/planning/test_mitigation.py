"""Room for a replacement is there from the question until the move has ended."""

import pytest
from tests.unit.planning.clouds import cloud, instance

from fenix.domain import Constraints, GroupConstraints, InstanceConstraints, Resources
from fenix.planning.rolling import Rolling
from fenix.planning.tasks import RollingOptions

HOST = Resources(4, 4, 4)
TWO = Resources(2, 2, 2)
OF_INSTANCE = Constraints(
    instances={"one": InstanceConstraints("one", "app", "", "one", resource_mitigation=True)}
)
OF_GROUP = Constraints(
    groups={"g": GroupConstraints("g", "app", resource_mitigation=True, max_impacted_members=9)}
)


def rolling(constraints: Constraints, *spare: str) -> Rolling:
    """Host `old` with one instance; those of `spare` are maintained, the first is half used."""
    on = [instance("one", "old", TWO, "g"), instance("other", spare[0], TWO)]
    inventory = cloud(dict.fromkeys(("old", *spare), HOST), on)
    return Rolling(inventory, ["old"], spare, constraints, RollingOptions())


@pytest.mark.parametrize("constraints", [OF_INSTANCE, OF_GROUP])
def test_room_is_kept_while_the_instance_is_impacted(constraints: Constraints) -> None:
    state = rolling(constraints, "new-1", "new-2")
    (task,) = state.decide(0).ask
    assert task.target == "new-1"
    state.agreed("one")
    assert state.decide(1).move == [task]
    free = {name: state._places.room.free(name) for name in ("new-1", "new-2")}
    assert free == {"new-1": Resources(), "new-2": TWO}
    state.moved("one", "new-1", 2)
    assert state._places.room.free("new-2") == HOST


@pytest.mark.parametrize("constraints", [OF_INSTANCE, OF_GROUP])
def test_without_room_it_is_not_asked_for_until_nothing_else_is_left(
    constraints: Constraints,
) -> None:
    state = rolling(constraints, "new-1")
    assert state.decide(0).ask == []
    assert state.idle
    assert [one.id for one in state.waive()] == ["one"]
    assert [task.instance.id for task in state.decide(1).ask] == ["one"]
    assert state.waive() == []


def test_who_does_not_want_it_is_asked_at_once() -> None:
    assert rolling(Constraints(), "new-1").decide(0).ask


def test_the_replacement_itself_takes_the_room() -> None:
    state = rolling(OF_GROUP, "new-1", "new-2")
    state.decide(0)
    there = state._places
    inventory = cloud(
        dict.fromkeys(("old", "new-1", "new-2"), HOST),
        [
            instance("one", "old", TWO, "g"),
            instance("other", "new-1", TWO),
            instance("built", "new-2", TWO, "g"),
        ],
    )
    state.reconcile(inventory, 1)
    assert there.room.free("new-2") == TWO


def test_a_failed_move_gives_the_room_back_and_keeps_it_anew() -> None:
    state = rolling(OF_INSTANCE, "new-1", "new-2")
    state.decide(0)
    state.agreed("one")
    state.decide(0)
    state.failed("one", 1)
    assert [task.instance.id for task in state.decide(1).ask] == ["one"]
    total = [state._places.room.free(name) for name in ("new-1", "new-2")]
    assert sum(free.vcpus for free in total) == 2
