"""Ceilometer's notification agent and Aodh beside devcloud, with the files that Fenix ships."""

from collections.abc import Iterator
from contextlib import contextmanager

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from tests.openstack.deployment import devcloud_command


@contextmanager
def running_telemetry() -> Iterator[None]:
    """Starts both; they are stopped in the end, since they take every notification."""
    devcloud_command("telemetry", "up")
    try:
        yield
    finally:
        devcloud_command("telemetry", "down")


@contextmanager
def alarm(member: Session, url: str, event_type: str = "maintenance.scheduled") -> Iterator[None]:
    """An event alarm of a project, made as docs/howto/telemetry.md says.

    Args:
        url: what is called.
    """
    member.invalidate()  # Its token may be older than the service, which it would not know.
    aodh = Adapter(member, "alarming")
    body = {
        "name": "maintenance",
        "type": "event",
        "event_rule": {"event_type": event_type},
        "alarm_actions": [url],
        "repeat_actions": True,
    }
    made = aodh.post("/v2/alarms", json=body).json()["alarm_id"]
    try:
        yield
    finally:
        aodh.delete(f"/v2/alarms/{made}")
