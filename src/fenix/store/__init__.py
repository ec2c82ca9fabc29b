"""What Fenix keeps: tables, queries and migrations. No other room knows SQL."""

from fenix.store import (
    constraints,
    leases,
    messages,
    pages,
    progress,
    purge,
    replies,
    sessions,
    subscriptions,
    timeline,
)
from fenix.store.database import Database, DatabaseUnavailable
from fenix.store.leases import EngineRow, Lease, LeaseLost
from fenix.store.writing import Row, Rows, Write, write_all

__all__ = [
    "Database",
    "DatabaseUnavailable",
    "EngineRow",
    "Lease",
    "LeaseLost",
    "Row",
    "Rows",
    "Write",
    "constraints",
    "leases",
    "messages",
    "pages",
    "progress",
    "purge",
    "replies",
    "sessions",
    "subscriptions",
    "timeline",
    "write_all",
]
