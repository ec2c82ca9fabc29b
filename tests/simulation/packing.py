"""Whether all instances would find a place with one host empty, by an exact solver.

Nothing is shared with the planner: the question goes to OR-Tools CP-SAT as a packing problem. It
says when a maintenance is impossible, however it is done: each host has to be empty once.
"""

from collections import Counter
from collections.abc import Sequence

from ortools.sat.python import cp_model

from fenix.simulation.scenario import InstanceModel, Scenario

SECONDS = 30.0
"""How long the solver may take for a host."""


def impossible(scenario: Scenario) -> str | None:
    """The host that can't ever be empty, also if all scale in as far as they do; None: each can."""
    left = scaled_in(scenario)
    hosts = (host.name for host in scenario.session_hosts)
    return next((name for name in hosts if not _fit_without(scenario, left, name)), None)


def scaled_in(scenario: Scenario) -> list[InstanceModel]:
    """The instances that stay when each project has given all that it gives."""
    removable = {group.id for group in scenario.groups if group.removable}
    to_give: Counter[str] = Counter()
    for project in scenario.projects:
        if project.manager and project.manager.scale_in:
            to_give[project.id] = project.manager.scale_in.max
    left = []
    for instance in reversed(scenario.instances):
        if instance.group in removable and to_give[instance.project]:
            to_give[instance.project] -= 1
        else:
            left.append(instance)
    return left


def _fit_without(scenario: Scenario, instances: Sequence[InstanceModel], name: str) -> bool:
    model = cp_model.CpModel()
    hosts = [host for host in scenario.hosts if host.name != name]
    limits = {group.id: group.per_host for group in scenario.groups if group.per_host}
    on = {
        (one.id, host.name): model.new_bool_var(f"{one.id} on {host.name}")
        for one in instances
        for host in hosts
    }
    for one in instances:
        model.add_exactly_one(on[one.id, host.name] for host in hosts)
        model.add_hint(on[one.id, one.host], 1) if one.host != name else None
    for host in hosts:
        for resource, whole in host.size._asdict().items():
            taken = sum(getattr(one.size, resource) * on[one.id, host.name] for one in instances)
            model.add(taken <= whole)
        for group, limit in limits.items():
            members = [on[one.id, host.name] for one in instances if one.group == group]
            model.add(sum(members) <= limit)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.num_workers = 1
    answer = solver.solve(model)
    assert answer != cp_model.UNKNOWN, f"no answer for {scenario.name} without {name}"
    return answer in (cp_model.OPTIMAL, cp_model.FEASIBLE)
