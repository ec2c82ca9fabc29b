"""What Fenix keeps: tables, queries and migrations. No other room knows SQL."""

from fenix.store import (
    constraints,
    leases,
    messages,
    progress,
    replies,
    sessions,
    subscriptions,
    timeline,
)
from fenix.store.database import Database, DatabaseUnavailable, Write
from fenix.store.leases import EngineRow, Lease, LeaseLost

__all__ = [
    "Database",
    "DatabaseUnavailable",
    "EngineRow",
    "Lease",
    "LeaseLost",
    "Write",
    "constraints",
    "leases",
    "messages",
    "progress",
    "replies",
    "sessions",
    "subscriptions",
    "timeline",
]
