"""The tables: all that Fenix keeps, and the only place where its columns are named.

Portable between SQLite, MariaDB and PostgreSQL: no server-side defaults, no foreign keys that
cascade, times as naive UTC with microseconds, names compared byte by byte.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Under both names: the dialect is called as the URL begins.
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}


def _time() -> TypeEngine[Any]:
    return DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _long() -> TypeEngine[str]:
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def _session() -> Column[str]:
    return Column("session_id", String(36), primary_key=True)


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workflow", String(64), nullable=False),
    Column("maintenance_at", _time(), nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("hosts", JSON, nullable=False),
    Column("actions", JSON, nullable=False),
    Column("download", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("admin_project_id", String(64), nullable=False),
    Column("created_at", _time(), nullable=False),
    Column("updated_at", _time(), nullable=False),
    Column("finished_at", _time()),
    Column("state", String(32), nullable=False),
    Column("failed_state", String(32)),
    Column("resume_state", String(32)),
    Column("reason", _long()),
    Column("ending", String(16)),
    Column("memory", JSON, nullable=False),
    Column("percent_done", Integer, nullable=False),
    Column("waiting_for", JSON, nullable=False),
    Column("delete_requested", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Index(None, "open"),
    **OPTIONS,
)

leases = Table(
    "leases",
    metadata,
    _session(),
    Column("owner", String(64)),
    Column("epoch", Integer, nullable=False),
    Column("beat", Integer, nullable=False),
    Column("writes", Integer, nullable=False),
    Index(None, "owner"),
    **OPTIONS,
)

locks = Table(
    "locks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("taken", Integer, nullable=False),
    **OPTIONS,
)

engines = Table(
    "engines",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hostname", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("started_at", _time(), nullable=False),
    Column("seen_at", _time(), nullable=False),
    Column("beat", Integer, nullable=False),
    **OPTIONS,
)

hosts = Table(
    "session_hosts",
    metadata,
    _session(),
    Column("name", String(255), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("state", String(32), nullable=False),
    Column("disabled_by_us", Boolean, nullable=False),
    Column("why", _long(), nullable=False),
    Column("started_at", _time()),
    Column("finished_at", _time()),
    **OPTIONS,
)

instances = Table(
    "session_instances",
    metadata,
    _session(),
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("action", String(16)),
    Column("target", String(255)),
    Column("replaced_by", String(64)),
    Column("why", _long(), nullable=False),
    **OPTIONS,
)

projects = Table(
    "session_projects",
    metadata,
    _session(),
    Column("id", String(64), primary_key=True),
    Column("reached", Boolean, nullable=False),
    Column("state", String(32)),
    Column("reply", String(40)),
    Column("instance_ids", JSON, nullable=False),
    **OPTIONS,
)

moves = Table(
    "moves",
    metadata,
    _session(),
    Column("key", String(400), primary_key=True),
    Column("instance_id", String(64), nullable=False),
    Column("source", String(255), nullable=False),
    Column("target", String(255)),
    Column("action", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("cloud_id", String(64)),
    Column("started_at", _time(), nullable=False),
    Column("finished_at", _time()),
    Column("error", _long()),
    **OPTIONS,
)

action_runs = Table(
    "action_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("session_id", String(36), nullable=False),
    Column("key", String(400), nullable=False),
    Column("plugin", String(64), nullable=False),
    Column("type", String(16), nullable=False),
    Column("host", String(255)),
    Column("metadata", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", _time(), nullable=False),
    Column("finished_at", _time()),
    Column("error", _long()),
    Column("log", _long(), nullable=False),
    Column("executor", String(255), nullable=False),
    Index(None, "state"),
    UniqueConstraint("session_id", "key"),
    **OPTIONS,
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("session_id", String(36), nullable=False),
    Column("key", String(400), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("event_type", String(32), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("state", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", _time(), nullable=False),
    Column("instance_ids", JSON, nullable=False),
    Column("reply_by", _time()),
    Column("reply", JSON(none_as_null=True)),
    Column("replied_at", _time()),
    UniqueConstraint("session_id", "key"),
    UniqueConstraint("session_id", "sequence"),
    **OPTIONS,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String(36), nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("target", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", _time(), nullable=False),
    Column("error", _long()),
    Column("delivered_at", _time()),
    Column("requested_at", _time()),
    Index(None, "session_id", "state"),
    Index(None, "message_id"),
    **OPTIONS,
)

replies = Table(
    "replies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session_id", String(36), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("instance_id", String(64)),
    Column("state", String(40), nullable=False),
    Column("instance_actions", JSON, nullable=False),
    Column("received_at", _time(), nullable=False),
    Column("outcome", String(190)),
    Index(None, "session_id", "outcome"),
    **OPTIONS,
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session_id", String(36), nullable=False),
    Column("at", _time(), nullable=False),
    Column("who", String(255), nullable=False),
    Column("what", String(64), nullable=False),
    Column("why", _long(), nullable=False),
    Column("host", String(255)),
    Column("instance", String(64)),
    Column("project", String(64)),
    Index(None, "session_id"),
    **OPTIONS,
)

instance_constraints = Table(
    "instance_constraints",
    metadata,
    Column("instance_id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("group_id", String(64), nullable=False),
    Column("instance_name", String(255), nullable=False),
    Column("max_interruption_time", Integer, nullable=False),
    Column("migration_type", String(16), nullable=False),
    Column("resource_mitigation", Boolean, nullable=False),
    Column("lead_time", Integer, nullable=False),
    **OPTIONS,
)

group_constraints = Table(
    "group_constraints",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("project_id", String(64), nullable=False, index=True),
    Column("group_name", String(255), nullable=False),
    Column("anti_affinity_group", Boolean, nullable=False),
    Column("max_instances_per_host", Integer, nullable=False),
    Column("max_impacted_members", Integer, nullable=False),
    Column("recovery_time", Integer, nullable=False),
    Column("resource_mitigation", Boolean, nullable=False),
    **OPTIONS,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("url", String(2048), nullable=False),
    Column("format", String(16), nullable=False),
    Column("event_types", JSON, nullable=False),
    Column("created_at", _time(), nullable=False),
    Column("secret", String(255)),
    Column("old_secret", String(255)),
    Column("old_secret_until", _time()),
    Column("failing_since", _time()),
    Column("retry_at", _time()),
    Column("last_error", _long()),
    Column("last_error_at", _time()),
    Index(None, "project_id"),
    **OPTIONS,
)


def create_tables(engine: Engine) -> None:
    """Makes all tables in an empty database that lives no longer than its process."""
    metadata.create_all(engine)
