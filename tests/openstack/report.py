"""What a session took: time of each phase, and requests for each move."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from devcloud.settings import Settings

from tests.openstack.recording import Exchange, Recorder

ID = re.compile("-?".join(f"[0-9a-f]{{{length}}}" for length in (8, 4, 4, 4, 12)))


def report(
    way: str,
    states: Sequence[tuple[datetime, str]],
    migrations: Sequence[Mapping[str, Any]],
    recorders: Mapping[str, Recorder],
    moves: int,
    settings: Settings,
) -> tuple[str, int]:
    """A text for people, and how many requests Fenix made to the cloud.

    Args:
        states: when each `maintenance.session` was heard, and its state.
        migrations: Nova's records.
        moves: how many instances were moved.
    """
    lines = [f"\n--- session with the manager behind {way}: {moves} moves ---"]
    start, last = states[0]
    for at, state in states[1:]:
        lines.append(f"{last:22} {(at - start).total_seconds():6.1f} s")
        start, last = at, state
    lines.append(f"{'total':22} {(states[-1][0] - states[0][0]).total_seconds():6.1f} s")
    for kind in sorted({record["migration_type"] for record in migrations}):
        taken = [
            (_time(record["updated_at"]) - _time(record["created_at"])).total_seconds()
            for record in migrations
            if record["migration_type"] == kind
        ]
        lines.append(f"{kind}: {len(taken)}, {sum(taken) / len(taken):.1f} s each in Nova")
    ports = {getattr(settings.ports, name): name for name in ("keystone", "nova", "placement")}
    requests = 0
    for process, recorder in recorders.items():
        counted = Counter(ports.get(each.port or 0, "other") for each in recorder.exchanges)
        lines.append(f"requests of {process}: {dict(sorted(counted.items()))}")
        if process != "manager":
            requests += sum(counted.values())
            kinds = Counter(_kind(each) for each in recorder.exchanges)
            lines += [f"  {number:4} {kind}" for kind, number in kinds.most_common(8)]
    lines.append(f"requests of Fenix to the cloud for each move: {requests / moves:.1f}")
    return "\n".join(lines), requests


def _kind(exchange: Exchange) -> str:
    """The request without ids and query."""
    path = ID.sub("ID", urlsplit(exchange.url).path)
    return f"{exchange.method} {path}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
