"""What a manager needs of the cloud that its application runs in, and no more.

Methods block, since clouds' SDKs do; the manager calls them in worker threads. All of them raise
`Unavailable` or `Refused`.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fenix.manager.errors import Unavailable


@dataclass(frozen=True, slots=True)
class TenantInstance:
    """One of the application's instances.

    Attributes:
        group_id: the server group that it is a member of.
        active: whether it is the active one of its group, which users reach.
        ready: whether the cloud is doing nothing with it just now, and it runs.
    """

    id: str
    name: str
    group_id: str | None
    active: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class TenantGroup:
    """A server group.

    Attributes:
        max_instances_per_host: 0 means no limit.
    """

    id: str
    name: str
    anti_affinity: bool
    max_instances_per_host: int


class TenantCloud(Protocol):
    """A cloud, as one project sees it."""

    def instances(self) -> Sequence[TenantInstance]:
        """The project's instances, oldest first."""
        ...

    def groups(self) -> Sequence[TenantGroup]:
        """The project's server groups."""
        ...

    def blueprint(self, instance_id: str) -> dict[str, Any]:
        """All that `create` needs to make an instance like this one; plain JSON."""
        ...

    def delete(self, instance_id: str) -> None:
        """Deletes an instance, and returns when it is gone; no error where it was."""
        ...

    def create(self, blueprint: Mapping[str, Any]) -> TenantInstance:
        """Makes an instance, and returns when it runs."""
        ...

    def replace(self, instance_id: str) -> TenantInstance:
        """Puts a new instance of the same name on another host in the place of one."""
        ...

    def make_active(self, source_id: str, target_id: str) -> None:
        """Lets users reach `target_id` where they reached `source_id`."""
        ...

    def close(self) -> None:
        """Frees connections; calls that still wait give up."""
        ...


def wait_until(
    condition: Callable[[], bool],
    what: str,
    timeout: float,
    closing: threading.Event,
    interval: float = 0.5,
) -> None:
    """Asks again and again until a condition holds.

    Args:
        what: what is waited for, as the end of the sentence "timed out waiting for ...".
        timeout: seconds.
        closing: set when nobody is interested any more.

    Raises:
        Unavailable: it took too long.
    """
    end = time.monotonic() + timeout
    while not condition():
        if closing.wait(interval) or time.monotonic() > end:
            raise Unavailable(f"timed out waiting for {what}")
