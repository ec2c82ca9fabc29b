"""The URLs that get messages directly."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from fenix.domain import BodyFormat, EventType, Subscription
from fenix.store.rows import values
from fenix.store.tables import subscriptions


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
    query = select(subscriptions).order_by(subscriptions.c.created_at, subscriptions.c.id)
    if project_id is not None:
        query = query.where(subscriptions.c.project_id == project_id)
    return [_subscription(dict(row)) for row in connection.execute(query).mappings()]


def remove(connection: Connection, subscription_id: str) -> bool:
    """Forgets a subscription; False when there was none."""
    gone = connection.execute(delete(subscriptions).where(subscriptions.c.id == subscription_id))
    return gone.rowcount == 1


def _subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(
        **row
        | {
            "format": BodyFormat(row["format"]),
            "event_types": tuple(EventType(name) for name in row["event_types"]),
        }
    )
