"""Whether the demo went well: asked of the cloud, not of Fenix."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fenix.cli.demo.monitor import EVENT, heard
from fenix.cli.demo.stage import Stage
from fenix.cli.watching import DONE
from fenix.simulation.invariants import Invariants


def problems(
    stage: Stage, detail: Mapping[str, Any], before: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What is not as it must be; nothing: all is well.

    Args:
        detail: the session's at its end.
        before: the application's instances before the session.
    """
    done = detail["state"] == DONE
    found = [] if done else [f"the session ended in {detail['state']}: {detail['reason']}"]
    invariants = Invariants(stage.scenario, constrained=detail["request"]["workflow"] == "vnf")
    for line in map(json.loads, stage.events().splitlines()):
        if line["event"] == EVENT:
            invariants.heard(line["t"], heard(line))
        else:
            invariants(line)
    invariants.at_end(done, frozenset())
    found += invariants.violations
    for name, enabled in stage.enabled().items():
        if not enabled:
            found.append(f"host {name} is disabled")
    after = {one["name"] for one in stage.instances()}
    found += [f"instance {one['name']} is missing" for one in before if one["name"] not in after]
    if len(after) > len(before):
        found.append(f"there are {len(after)} instances instead of {len(before)}")
    return found
