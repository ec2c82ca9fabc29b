"""The events of simulations, checked against those of simulations that are run for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fenix.simulation.clock import run
from fenix.simulation.loading import load
from fenix.simulation.running import simulate
from fenix_reference.markdown import check, code, table

SCENARIO = Path(__file__).parents[2] / "examples" / "cloud.yaml"
EVENTS: Mapping[str, tuple[str, str]] = {
    "session.state": ("state", "the session has entered a state"),
    "project.notified": (
        "project, state, instances",
        "a `maintenance.scheduled` message has reached a manager",
    ),
    "project.replied": (
        "project, state, instances",
        "a manager replies, `state` with ACK_ or NACK_",
    ),
    "instance.move.started": ("instance, source, target, action", "the cloud begins a move"),
    "instance.move.finished": (
        "instance, host, ok",
        "a move has ended; `host` is where the instance runs now",
    ),
    "instance.deleted": ("instance, host", "a manager has deleted an instance"),
    "instance.created": (
        "instance, host, project, group, vcpus, memory_mb, disk_gb",
        "a manager has created an instance",
    ),
    "host.disabled": ("host", "the cloud places nothing on the host any more"),
    "host.enabled": ("host", "the host may be used again"),
    "host.maintenance.started": ("host", "the work on a host begins"),
    "host.maintenance.finished": ("host, ok", "it has ended"),
}


def page() -> str:
    """A table with an example of each event."""
    found = _happened()
    check("events of simulations", EVENTS, found)
    rows = []
    for kind, (keys, text) in EVENTS.items():
        check(f"keys of {kind}", keys.split(", "), found[kind].keys() - {"t", "event"})
        rows.append((code(kind), ", ".join(map(code, keys.split(", "))), text))
    lines = "\n".join(json.dumps(event) for event in found.values())
    return table(("event", "keys", "meaning"), rows) + f"\n```json\n{lines}\n```\n"


def _happened() -> dict[str, dict[str, Any]]:
    """The first event of each kind in a simulation."""
    outcome = run(simulate(load(SCENARIO)))
    found: dict[str, dict[str, Any]] = {}
    for event in outcome.stage.log.events:
        found.setdefault(event["event"], event)
    return found
