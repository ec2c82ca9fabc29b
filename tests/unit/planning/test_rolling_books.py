"""The books of the rolling decisions stay right when something comes otherwise than expected."""

from tests.unit.planning.clouds import cloud, instance

from fenix.domain import (
    Constraints,
    GroupConstraints,
    Instance,
    InstanceConstraints,
    Inventory,
    Resources,
)
from fenix.planning.rolling import Rolling, RollingOptions

SIZE = Resources(8, 8, 8)


def rolling(
    inventory: Inventory,
    *ready: str,
    constraints: Constraints | None = None,
    parallel_hosts: int | None = None,
    second_moves: float = 0.0,
) -> Rolling:
    pending = [name for name in inventory.hosts if name not in ready]
    options = RollingOptions(parallel_hosts=parallel_hosts, second_moves=second_moves)
    return Rolling(inventory, pending, ready, constraints or Constraints(), options)


def on(host: str, ident: str, vcpus: int = 2) -> Instance:
    return instance(ident, host, Resources(vcpus, vcpus, vcpus))


def test_a_host_on_which_nothing_is_to_be_moved_goes_on_being_worked_on() -> None:
    """What one list of the cloud shows there, and the next one does not any more."""
    state = rolling(cloud({"a": SIZE, "b": SIZE}, []), parallel_hosts=1)
    assert state.decide(0).maintain == ["a"]
    assert not state.occupied("a")
    assert state.decide(1).maintain == []


def test_who_was_to_follow_a_dropped_one_looks_for_another_place() -> None:
    inventory = cloud(
        {"a": SIZE, "b": SIZE, "c": SIZE},
        [on("a", "large", 6), on("b", "s", 3), on("b", "t", 1), on("c", "u", 3), on("c", "v", 2)],
    )
    state = rolling(inventory, second_moves=1.0, parallel_hosts=3)
    state.decide(0)
    large = state.tasks["large"]
    assert (large.target, large.after) == ("b", {"s"})
    state.agreed("large")
    assert state.decide(1).move == []
    state.drop("b", 2)
    state.left("b")
    assert [task.instance.id for task in state.decide(3).move] == []
    assert large.target != "b"


def test_constraints_that_come_later_count_from_then_on() -> None:
    inventory = cloud({"a": SIZE, "b": SIZE, "c": SIZE}, [on("b", "x"), on("a", "y")])
    members = {name: InstanceConstraints(name, "app", "g", name) for name in ("x", "y")}
    apart = Constraints(members, {"g": GroupConstraints("g", "app", anti_affinity_group=True)})
    before, after = rolling(inventory, "b", "c"), rolling(inventory, "b", "c")
    after.heed(apart)
    assert [task.target for task in before.decide(0).ask] == ["b"], "it fits best"
    assert [task.target for task in after.decide(0).ask] == ["c"]


def test_a_slot_goes_back_to_the_group_that_it_was_taken_from() -> None:
    members = {name: InstanceConstraints(name, "app", "old", name) for name in ("x", "y")}
    groups = {name: GroupConstraints(name, "app") for name in ("old", "new")}
    inventory = cloud({"a": SIZE, "b": SIZE}, [on("a", "x"), on("a", "y")])
    state = rolling(inventory, "b", constraints=Constraints(members, groups))
    assert [task.instance.id for task in state.decide(0).ask] == ["x"]
    changed = members | {"x": InstanceConstraints("x", "app", "new", "x")}
    state.heed(Constraints(changed, groups))
    state.moved("x", "b", 5)
    assert [task.instance.id for task in state.decide(5).ask] == ["y"]


def pair_in_one_group() -> Rolling:
    """Hosts a and b with a member each of a group of which one may be impacted; c takes them."""
    members = {name: InstanceConstraints(name, "app", "g", name) for name in ("x", "y")}
    limits = {"g": GroupConstraints("g", "app", max_impacted_members=1, recovery_time=7)}
    inventory = cloud({"a": SIZE, "b": SIZE, "c": SIZE}, [on("a", "x"), on("b", "y")])
    return rolling(inventory, "c", constraints=Constraints(members, limits))


def test_who_was_asked_before_a_restart_counts_until_nothing_more_can_come() -> None:
    state = pair_in_one_group()
    state.asked_before(on("b", "y"))
    # The other one has its turn first, were it not for that; the same question may come again.
    assert [task.instance.id for task in state.decide(0).ask] == ["y"]
    state.settle("y", 5, impacted=False)
    assert state.decide(6).ask == []
    state.gone("y", 8, impacted=True)
    assert state.decide(9).ask == []
    assert [task.instance.id for task in state.decide(15).ask] == ["x"]


def test_of_a_dropped_host_it_counts_until_its_manager_is_ready() -> None:
    for impacted, at in ((False, 5), (True, 12)):
        state = pair_in_one_group()
        assert [task.instance.id for task in state.decide(0).ask] == ["x"]
        state.drop("a", 1)
        assert state.decide(2).ask == []
        assert not state.idle
        state.settle("x", 5, impacted=impacted)
        assert [task.instance.id for task in state.decide(at).ask] == ["y"]
