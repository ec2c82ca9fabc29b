"""What the demo says before and after."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from fenix.cli.demo.stage import Stage
from fenix.cli.output import clock, table

SCHEDULED = "maintenance.scheduled"


def introduction(stage: Stage) -> Text:
    """What there is to see."""
    count = len(stage.scenario.instances)
    return Text.assemble(
        ("Fenix: a maintenance of ", "bold"),
        (f"{stage.hosts} hosts", "bold cyan"),
        (f" that {count} instances fill to the brim.\n", "bold"),
        f"API {stage.api_url}, simulated cloud {stage.cloud_url}, the application's manager in a "
        "process of its own.\nThe cloud has no room to move anything, so Fenix asks the "
        "application to scale in first.\n",
    )


def summary(stage: Stage, detail: Mapping[str, Any], problems: Sequence[str]) -> Group:
    """What has happened, from the session's detail, and the verdict."""
    parts: list[RenderableType] = [
        Text(),
        table("Hosts", ("host", "state", "from", "to", "s"), _hosts(detail)),
        table("Instances", ("instance", "moves", "way", "state"), _instances(detail)),
        table("Messages", ("at", "to", "message", "instances", "reply", "after s"), _talk(detail)),
    ]
    if problems:
        parts += [Text(f"✗ {problem}", style="bold red") for problem in problems]
    else:
        took = _seconds(detail["created_at"], detail["finished_at"])
        parts.append(
            Text(
                f"✓ {detail['state']} after {took} s: all {stage.hosts} hosts were worked on while "
                "they were empty,\n  all are in use again, and the application has as many "
                "instances as before.",
                style="bold green",
            )
        )
    return Group(*parts)


def _hosts(detail: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for host in detail["hosts"]:
        times = (host["started_at"], host["finished_at"])
        yield host["name"], host["state"], *map(clock, times), _seconds(*times)


def _instances(detail: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    moves: dict[str, list[Mapping[str, Any]]] = {}
    for move in sorted(detail["moves"], key=lambda move: str(move["started_at"])):
        moves.setdefault(move["instance_id"], []).append(move)
    for one in detail["instances"]:
        mine = [move for move in moves.get(one["id"], []) if move["state"] == "DONE"]
        way = [mine[0]["source"], *(move["target"] for move in mine)] if mine else [one["host"]]
        yield one["name"] or one["id"], len(mine), " → ".join(way), one["state"]


def _talk(detail: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    scheduled = [one for one in detail["messages"] if one["event_type"] == SCHEDULED]
    for message in scheduled:
        reply = message["reply"]
        yield (
            clock(message["created_at"]),
            message["project_id"],
            message["state"],
            _concerned(message["payload"]["instance_ids"]),
            reply["state"] if reply else "",
            _seconds(message["created_at"], message["replied_at"]),
        )
    kinds = Counter(one["event_type"] for one in detail["messages"] if one not in scheduled)
    for kind, count in sorted(kinds.items()):
        yield "", "operator", kind, f"{count} messages", "", ""


def _concerned(ids: object) -> str:
    return ", ".join(map(str, ids)) if isinstance(ids, list) else "all of its project"


def _seconds(start: str | None, end: str | None) -> object:
    if not start or not end:
        return ""
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
