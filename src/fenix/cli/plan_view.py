"""A plan as people see it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fenix.cli.output import clock, table

Plan = Mapping[str, Any]


def whole(plan: Plan) -> Group:
    """Everything that is worth a look."""
    parts: list[RenderableType] = [heading(plan)]
    if plan["scale_in"]:
        parts.append(_scale_in(plan))
    parts.append(_hosts(plan))
    if plan["moves"]:
        parts.append(_moves(plan))
    parts.append(_messages(plan))
    parts += [Text(f"Note: {note}") for note in plan["notes"]]
    return Group(*parts)


def heading(plan: Plan) -> Text:
    """Whether it can be done, when, and what limits it."""
    found = Text()
    if plan["feasible"]:
        found.append("feasible", style="bold green")
        found.append(f"  from {plan['begins_at']} to {plan['ends_at']}, ")
        found.append(f"{_duration(plan['duration_seconds'])} of which hosts and moves take ")
        found.append(_duration(plan["makespan_seconds"]))
    else:
        found.append("not feasible", style="bold red")
        found.append(f"  it would fail in {plan['failed_state']}: {plan['reason']}")
    if plan["bounds"]:
        highest = plan["bounds"][0]
        found.append(f"\nat least {_duration(highest['seconds'])}: {highest['sentence']}")
    return found


def _scale_in(plan: Plan) -> Table:
    return table(
        "scale-in",
        ("project", "asked", "instances", "vCPUs", "MiB", "GiB", ""),
        (
            (
                one["project_id"],
                one["requests"],
                one["instances"],
                *(one["resources"][name] for name in ("vcpus", "memory_mb", "disk_gb")),
                "assumed" if one["assumed"] else "would be needed",
            )
            for one in plan["scale_in"]
        ),
    )


def _hosts(plan: Plan) -> Table:
    return table(
        "hosts",
        ("host", "state", "drained from", "worked on from", "back", "why"),
        (
            (
                one["name"],
                one["state"],
                *(
                    _when(plan, one[name])
                    for name in ("drain_started_at", "maintenance_started_at", "back_at")
                ),
                one["why"],
            )
            for one in plan["hosts"]
        ),
    )


def _moves(plan: Plan) -> Table:
    return table(
        "moves",
        ("instance", "project", "source", "target", "action", "from", "to", "why"),
        (
            (
                one["name"] or one["instance_id"],
                one["project_id"],
                one["source"],
                one["target"],
                one["action"],
                _when(plan, one["started_at"]),
                _when(plan, one["finished_at"]),
                one["error"] or one["why"],
            )
            for one in plan["moves"]
        ),
    )


def _messages(plan: Plan) -> Table:
    return table(
        "messages",
        ("project", "reached", "messages", "of which"),
        (
            (
                one["project_id"],
                "yes" if one["reached"] else "no",
                sum(one["counts"].values()),
                ", ".join(f"{count} {state}" for state, count in one["counts"].items()),
            )
            for one in plan["messages"]
        ),
    )


def _when(plan: Plan, time: str | None) -> str:
    """The time of day, and the day where the plan takes more than one."""
    days = {plan[name].partition("T")[0] for name in ("begins_at", "ends_at")}
    return clock(time) if len(days) == 1 else (time or "").replace("T", " ")


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
