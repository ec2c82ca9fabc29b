"""The URLs that get messages directly."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, bindparam, delete, func, insert, select, update

from fenix.domain import BodyFormat, EventType, Subscription
from fenix.store.rows import dicts, values
from fenix.store.tables import subscriptions
from fenix.store.writing import Write

_ALL = select(subscriptions).order_by(subscriptions.c.created_at, subscriptions.c.id)
_OF_PROJECT = _ALL.where(subscriptions.c.project_id == bindparam("project"))
_OF_PROJECTS = _ALL.where(subscriptions.c.project_id.in_(bindparam("projects", expanding=True)))

MANY = 500
"""So many projects are not named in a statement: databases limit its parameters."""


def add(connection: Connection, subscription: Subscription) -> None:
    """Writes a new subscription."""
    row = values(subscription) | {"event_types": list(subscription.event_types)}
    connection.execute(insert(subscriptions).values(**row))


def get(connection: Connection, subscription_id: str) -> Subscription | None:
    """One subscription, or None."""
    query = select(subscriptions).where(subscriptions.c.id == subscription_id)
    row = connection.execute(query).mappings().first()
    return _subscription(dict(row)) if row else None


def list_all(connection: Connection, project_id: str | None = None) -> Sequence[Subscription]:
    """All subscriptions, or those of one project, oldest first."""
    found = (
        connection.execute(_ALL)
        if project_id is None
        else connection.execute(_OF_PROJECT, {"project": project_id})
    )
    return [_subscription(row) for row in dicts(found)]


def of_projects(
    connection: Connection, projects: Collection[str]
) -> Mapping[str, Sequence[Subscription]]:
    """The subscriptions of each of some projects, oldest first."""
    found: dict[str, list[Subscription]] = {project: [] for project in projects}
    some = len(projects) <= MANY
    keys = {"projects": list(projects)}
    for row in dicts(connection.execute(_OF_PROJECTS, keys) if some else connection.execute(_ALL)):
        if row["project_id"] in found:
            found[row["project_id"]].append(_subscription(row))
    return found


def save_secrets(connection: Connection, subscription: Subscription) -> None:
    """Writes what a subscription's messages are signed with."""
    row = {name: getattr(subscription, name) for name in _SECRETS}
    connection.execute(_of(subscription.id).values(**row))


def recovered(subscription_id: str) -> Write:
    """Notes that a message was taken."""

    def write(connection: Connection) -> None:
        connection.execute(_of(subscription_id).values(failing_since=None, retry_at=None))

    return write


def failed(subscription_id: str, why: str, at: datetime, retry_at: datetime) -> Write:
    """Notes that a message was not taken.

    Args:
        retry_at: nothing is to be sent before.
    """

    def write(connection: Connection) -> None:
        connection.execute(
            _of(subscription_id).values(
                failing_since=func.coalesce(subscriptions.c.failing_since, at),
                retry_at=retry_at,
                last_error=why,
                last_error_at=at,
            )
        )

    return write


def remove(connection: Connection, subscription_id: str) -> bool:
    """Forgets a subscription; False when there was none."""
    gone = connection.execute(delete(subscriptions).where(subscriptions.c.id == subscription_id))
    return gone.rowcount == 1


_SECRETS = ("secret", "old_secret", "old_secret_until")


def _of(subscription_id: str) -> Update:
    return update(subscriptions).where(subscriptions.c.id == subscription_id)


def _subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(
        **row
        | {
            "format": BodyFormat(row["format"]),
            "event_types": tuple(EventType(name) for name in row["event_types"]),
        }
    )
