"""What other tools do, as workflows for the same simulator, to compare with.

No service offers them: only simulations lend them to the engine (`fenix.workflows.registry.lent`).
All of them keep the applications' limits and wait for their managers' answers, so that they do the
same work under the same rules; they differ in what they do at one time, and in who chooses targets.
"""

from collections.abc import Mapping

from fenix.simulation.policies.batch import BatchPolicy
from fenix.simulation.policies.drain import DrainPolicy
from fenix.simulation.policies.serial import SerialPolicy
from fenix.workflows import Workflow

POLICIES: Mapping[str, type[Workflow]] = {
    "serial": SerialPolicy,
    "drain": DrainPolicy,
    "batch": BatchPolicy,
}
"""All policies by name."""

__all__ = ["POLICIES", "BatchPolicy", "DrainPolicy", "SerialPolicy"]
