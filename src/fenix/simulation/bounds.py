"""How short a maintenance could be at best, so that a run can be judged without another planner.

Each bound holds for every schedule, also for one that knows the future; the longest one binds.
They count what cannot be avoided: each host is worked on once, each instance that stays moves off
its host at least once, and both use what there is only so much of. The formulas are those of the
scenario format ("Lower bounds"), with two differences: capacity is that of all compute hosts, since
where only some are worked on the others give shelter, too; and groups do not bound `default`.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from fenix.domain import ActionType, HostType, MoveAction
from fenix.simulation.scenario import HostModel, InstanceModel, Scenario

RESOURCES = {"vcpus": "vCPUs", "memory_mb": "memory (MiB)", "disk_gb": "disk (GiB)"}
"""The resources by their key in scenario files, with the word for people."""

WITHOUT_GROUP_LIMITS = "default"
"""The workflow that does not keep the groups' limits on impacted members (wire contract)."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One reason why no schedule is shorter.

    Attributes:
        name: which kind of bound it is, such as ``capacity.vcpus``.
        seconds: the least time from the first move or work on a host to the last host back.
        sentence: how it is derived, with the numbers.
    """

    name: str
    seconds: float
    sentence: str


def bounds(scenario: Scenario, gone: Collection[str] = ()) -> Sequence[Bound]:
    """All lower bounds of a scenario's makespan.

    Args:
        gone: ids of instances that were taken away by a scale-in; they need not move, and their
            room counts as free from the beginning.

    Returns:
        One bound of each kind that says something, or says why it does not; never empty.
    """
    facts = _Facts(scenario, gone)
    found = [*_capacity(facts), *_migration_slots(facts), *_one_host(facts), *_host_slots(facts)]
    if scenario.session.workflow != WITHOUT_GROUP_LIMITS:
        found += _groups(facts)
    return found


def whole_hosts(scenario: Scenario, gone: Collection[str] = ()) -> Bound | None:
    """A bound beyond those of the scenario format: hosts are worked on whole, so in rounds.

    What the load leaves free can hold so many of the smallest hosts at one time, and no more. Of
    moments that lie apart by the time of the shortest work, each host is worked on at one at
    least; so there are as many of them, and so long a time, as it takes rounds.

    Args:
        gone: as in `bounds`.

    Returns:
        None: nothing can be said.
    """
    facts = _Facts(scenario, gone)
    rounds, sentence = 0, ""
    for key, word in RESOURCES.items():
        sizes = sorted(getattr(host, key) for host in facts.computes)
        free = sum(getattr(host, key) for host in facts.shelter) - sum(
            getattr(one, key) for one in facts.staying
        )
        at_once = sum(together <= free for together in accumulate(sizes))
        if not at_once or not free:
            continue
        needed = max(math.ceil(len(sizes) / at_once), math.ceil(sum(sizes) / free))
        if needed > rounds:
            rounds = needed
            sentence = (
                f"{word}: {free:,} are free, enough for {at_once} hosts at one time, so "
                f"{len(sizes)} hosts take {needed} rounds"
            )
    if not rounds:
        return None
    shortest = min(facts.work[host.name] for host in facts.computes)
    seconds = rounds * shortest
    return Bound(
        "whole_hosts", seconds, f"{sentence} of {shortest:,.0f} s at least: {seconds:,.0f} s."
    )


def binding(found: Sequence[Bound]) -> Bound:
    """The longest bound: the one that binds."""
    return max(found, key=lambda bound: bound.seconds)


def moves_bound(scenario: Scenario, gone: Collection[str] = ()) -> int:
    """How many moves there are at least: one for each instance that the cloud has to move.

    Args:
        gone: as in `bounds`.
    """
    return len(_Facts(scenario, gone).moved)


def work_seconds(scenario: Scenario, host: HostModel) -> float:
    """How long a host is worked on: all actions that run on hosts of its type, in seconds."""
    kinds = {ActionType.HOST, ActionType(host.type)}
    return sum(action.seconds for action in scenario.session.actions if action.type in kinds)


class _Facts:
    """What of a scenario the bounds need.

    Attributes:
        hosts: the session's hosts.
        work: for each of them how long it is worked on, s.
        moved: the instances that must move off the session's compute hosts, with how long that
            takes, s.
    """

    def __init__(self, scenario: Scenario, gone: Collection[str]) -> None:
        self.scenario = scenario
        self.hosts = scenario.session_hosts
        self.work = {host.name: work_seconds(scenario, host) for host in self.hosts}
        self.computes = [host for host in self.hosts if host.type is HostType.COMPUTE]
        # Instances may leave for good to hosts outside the session, so their room counts as well.
        self.shelter = [host for host in scenario.hosts if host.type is HostType.COMPUTE]
        self.staying = [one for one in scenario.instances if one.id not in gone]
        emptied = {host.name for host in self.computes}
        self.moved: list[tuple[InstanceModel, float]] = [
            (one, seconds)
            for one in self.staying
            if one.host in emptied and (seconds := self._move_seconds(one)) is not None
        ]

    def _move_seconds(self, one: InstanceModel) -> float | None:
        """How long the cloud needs to move an instance; None: its manager does it instead."""
        if one.migration_type is not MoveAction.OWN_ACTION:
            return one.move_seconds
        managed = {project.id for project in self.scenario.projects if project.manager is not None}
        # Without a manager there is nobody who has an action of its own.
        return None if one.project in managed else one.live_migration_seconds


def _capacity(facts: _Facts) -> Iterator[Bound]:
    names = {host.name for host in facts.shelter}
    for key, word in RESOURCES.items():
        worked = sum(getattr(host, key) * facts.work[host.name] for host in facts.computes)
        moving = sum(getattr(one, key) * seconds for one, seconds in facts.moved)
        capacity = sum(getattr(host, key) for host in facts.shelter)
        load = sum(getattr(one, key) for one in facts.staying if one.host in names)
        if capacity <= load:
            yield Bound(
                f"capacity.{key}",
                0.0,
                f"{word}: nothing is free ({load:,} of {capacity:,} are in use), so this bound "
                "says nothing: without a scale-in there is no schedule at all.",
            )
            continue
        seconds = (worked + moving) / (capacity - load)
        yield Bound(
            f"capacity.{key}",
            seconds,
            f"{word}: hosts that are worked on lack {worked:,.0f} unit-seconds and moves, which "
            f"hold room on both hosts, take {moving:,.0f}; with {capacity - load:,} of "
            f"{capacity:,} free that needs {seconds:,.0f} s.",
        )


def _groups(facts: _Facts) -> Iterator[Bound]:
    moves: Mapping[str, list[float]] = defaultdict(list)
    for one, seconds in facts.moved:
        if one.group is not None:
            moves[one.group].append(seconds)
    found = []
    for group in facts.scenario.groups:
        if not moves.get(group.id):
            continue
        impacted = sum(seconds + group.recovery_time for seconds in moves[group.id])
        seconds = impacted / group.max_impacted_members - group.recovery_time
        found.append(
            Bound(
                "group",
                seconds,
                f"group {group.id}: the moves of its {len(moves[group.id])} members with "
                f"{group.recovery_time:g} s of recovery each take {impacted:,.0f} s, and "
                f"{group.max_impacted_members} may be impacted at one time; only the last "
                f"recovery may come after the end: {seconds:,.0f} s.",
            )
        )
    if found:
        yield binding(found)


def _migration_slots(facts: _Facts) -> Iterator[Bound]:
    limit = facts.scenario.limits.parallel_migrations
    if limit is None or not facts.moved:
        return
    moving = sum(seconds for _, seconds in facts.moved)
    yield Bound(
        "migration_slots",
        moving / limit,
        f"migration slots: {len(facts.moved)} moves take {moving:,.0f} s together, {limit} at "
        f"one time: {moving / limit:,.0f} s.",
    )


def _one_host(facts: _Facts) -> Iterator[Bound]:
    limit = facts.scenario.limits.parallel_migrations_per_host
    moves: Mapping[str, list[float]] = defaultdict(list)
    for one, seconds in facts.moved:
        moves[one.host].append(seconds)
    found = []
    for host in facts.hosts:
        durations = moves.get(host.name, [])
        emptying = max(durations, default=0.0)
        if limit is not None:
            emptying = max(emptying, sum(durations) / limit)
        at_once = "all at once" if limit is None else f"{limit} at one time"
        seconds = emptying + facts.work[host.name]
        found.append(
            Bound(
                "one_host",
                seconds,
                f"host {host.name}: its {len(durations)} moves, {at_once}, take "
                f"{emptying:,.0f} s, and then it is worked on for {facts.work[host.name]:,.0f} s: "
                f"{seconds:,.0f} s.",
            )
        )
    yield binding(found)


def _host_slots(facts: _Facts) -> Iterator[Bound]:
    limit = facts.scenario.limits.parallel_hosts
    if limit is None:
        return
    work = sum(facts.work.values())
    yield Bound(
        "host_slots",
        work / limit,
        f"host slots: {len(facts.hosts)} hosts are worked on for {work:,.0f} s together, {limit} "
        f"at one time: {work / limit:,.0f} s.",
    )
