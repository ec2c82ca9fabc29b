"""A session as people see it: parts of its detail as tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fenix.cli.output import clock, table

Detail = Mapping[str, Any]

_COLOURS = {
    "MAINTENANCE_DONE": "green",
    "MAINTAINED": "green",
    "MOVED": "green",
    "MAINTENANCE_FAILED": "red",
    "FAILED": "red",
    "IN_MAINTENANCE": "yellow",
    "DRAINING": "yellow",
    "MOVING": "yellow",
}


def sessions_table(sessions: Sequence[Detail]) -> Table:
    """All sessions in a few words each."""
    return table(
        "",
        ("session", "state", "done", "created", "waits for"),
        (
            (
                one["session_id"],
                one["state"],
                f"{one['percent_done']} %",
                one["created_at"],
                "; ".join(wait_text(wait) for wait in one["waiting_for"][:1]) or one["reason"],
            )
            for one in sessions
        ),
    )


def whole(detail: Detail) -> Group:
    """Everything that is worth a look."""
    parts: list[RenderableType] = [heading(detail), *_waits(detail)]
    parts += [hosts_table(detail), instances_table(detail), projects_table(detail)]
    if detail["actions"]:
        parts.append(actions_table(detail))
    if detail["errors"]:
        parts.append(errors_table(detail))
    return Group(*parts)


def progress(
    detail: Detail, lines: Sequence[Mapping[str, Any]], trouble: str, height: int
) -> Group:
    """What to watch while a session runs.

    Args:
        lines: of the timeline, oldest first.
        trouble: why there is nothing newer; empty: there is.
        height: lines that there are to show it; of many hosts those that matter now are shown.
    """
    parts: list[RenderableType] = [heading(detail)]
    if trouble:
        parts.append(Text(trouble, style="red"))
    parts += _waits(detail)
    # Three tables, each with a title and a head.
    shown = max(3, (height - len(parts) - 7) // 3)
    parts.append(hosts_table(detail, shown))
    parts.append(instances_table(detail, shown))
    parts.append(timeline_table(lines[-shown:], one_line=True))
    return Group(*parts)


def heading(detail: Detail) -> Text:
    """State and progress."""
    state = detail["state"]
    found = Text()
    found.append(f"session {detail['session_id']}  ")
    found.append(state, style=f"bold {_COLOURS.get(state, 'cyan')}")
    done = int(detail["percent_done"])
    found.append(f"  {'█' * (done // 5)}{'░' * (20 - done // 5)} {done} %")
    if detail["reason"]:
        found.append(f"\n{detail['reason']}", style="red")
    return found


def hosts_table(detail: Detail, shown: int | None = None) -> Table:
    """The session's hosts; of many, those that something happens to come first."""
    order = ("IN_MAINTENANCE", "DRAINING", "EMPTY", "FAILED", "MAINTAINED", "PENDING", "SKIPPED")
    hosts = list(detail["hosts"])
    if shown is not None and len(hosts) > shown:
        hosts.sort(key=lambda host: order.index(host["state"]) if host["state"] in order else 0)
    return _limited(
        "hosts",
        ("host", "state", "from", "to", "disabled", "why"),
        [
            (
                host["name"],
                _state(host["state"]),
                clock(host["started_at"]),
                clock(host["finished_at"]),
                "yes" if host["disabled_by_us"] else "",
                host["why"],
            )
            for host in hosts
        ],
        shown,
    )


def instances_table(detail: Detail, shown: int | None = None) -> Table:
    """The instances that the session has dealt with."""
    instances = list(detail["instances"])
    if shown is not None and len(instances) > shown:
        order = ("MOVING", "AGREED", "ASKED", "FAILED", "PENDING", "MOVED", "GONE")
        instances.sort(key=lambda one: order.index(one["state"]) if one["state"] in order else 0)
    return _limited(
        "instances",
        ("instance", "project", "state", "host", "target", "action", "why"),
        [
            (
                one["name"] or one["id"],
                one["project_id"],
                _state(one["state"]),
                one["host"],
                one["target"] if one["state"] != "MOVED" else "",
                one["action"],
                one["why"],
            )
            for one in instances
        ],
        shown,
    )


def projects_table(detail: Detail) -> Table:
    """The projects that the session talks with."""
    return table(
        "projects",
        ("project", "reached", "last message", "reply", "instances"),
        (
            (
                one["id"],
                "yes" if one["reached"] else "no",
                one["state"],
                one["reply"],
                len(one["instance_ids"]),
            )
            for one in detail["projects"]
        ),
    )


def actions_table(detail: Detail) -> Table:
    """The runs of action plug-ins."""
    return table(
        "actions",
        ("plug-in", "type", "host", "state", "from", "to", "error"),
        (
            (
                one["plugin"],
                one["type"],
                one["host"],
                _state(one["state"]),
                clock(one["started_at"]),
                clock(one["finished_at"]),
                one["error"],
            )
            for one in detail["actions"]
        ),
    )


def errors_table(detail: Detail) -> Table:
    """What went wrong."""
    rows = ((one["what"], one["subject"], one["error"]) for one in detail["errors"])
    return table("errors", ("what", "which", "error"), rows)


def timeline_table(lines: Sequence[Mapping[str, Any]], one_line: bool = False) -> Table:
    """Lines of the timeline."""
    rows = ((clock(one["at"]), one["what"], subject(one), one["why"]) for one in lines)
    return table("timeline", ("at", "what", "which", "why"), rows, one_line)


def subject(line: Mapping[str, Any]) -> str:
    """What a line of the timeline is about."""
    names = (line["host"], line["instance"], line["project"])
    return " ".join(name for name in names if name)


def wait_text(wait: Mapping[str, Any]) -> str:
    """One thing that a session waits for, with the time left."""
    sentence = f"{wait['who']}: {wait['what']}"
    if not wait["until"]:
        return sentence
    now = datetime.now(UTC).replace(tzinfo=None)
    left = round((datetime.fromisoformat(wait["until"]) - now).total_seconds())
    return f"{sentence} ({left} s left)" if left >= 0 else f"{sentence} ({-left} s over)"


def _state(state: str) -> Text:
    return Text(state, style=_COLOURS.get(state, ""))


def _waits(detail: Detail) -> list[RenderableType]:
    return [Text(f"waits for {wait_text(wait)}") for wait in detail["waiting_for"][:3]]


def _limited(
    title: str, columns: Sequence[str], rows: list[tuple[Any, ...]], shown: int | None
) -> Table:
    count = len(rows)
    if shown is not None and count > shown:
        title, rows = f"{title} ({shown} of {count})", rows[:shown]
    return table(title, columns, rows, one_line=shown is not None)
