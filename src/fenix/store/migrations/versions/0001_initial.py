"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

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
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _long() -> TypeEngine[str]:
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workflow", sa.String(64), nullable=False),
        sa.Column("maintenance_at", _time(), nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("hosts", sa.JSON, nullable=False),
        sa.Column("actions", sa.JSON, nullable=False),
        sa.Column("download", sa.JSON, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("admin_project_id", sa.String(64), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.Column("finished_at", _time()),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("failed_state", sa.String(32)),
        sa.Column("resume_state", sa.String(32)),
        sa.Column("reason", _long()),
        sa.Column("ending", sa.String(16)),
        sa.Column("memory", sa.JSON, nullable=False),
        sa.Column("percent_done", sa.Integer, nullable=False),
        sa.Column("waiting_for", sa.JSON, nullable=False),
        sa.Column("delete_requested", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_sessions_open"), "sessions", ["open"])

    op.create_table(
        "leases",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("writes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_leases")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_leases_owner"), "leases", ["owner"])

    op.create_table(
        "engines",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("seen_at", _time(), nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engines")),
        **OPTIONS,
    )

    op.create_table(
        "session_hosts",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("disabled_by_us", sa.Boolean, nullable=False),
        sa.Column("why", _long(), nullable=False),
        sa.Column("started_at", _time()),
        sa.Column("finished_at", _time()),
        sa.PrimaryKeyConstraint("session_id", "name", name=op.f("pk_session_hosts")),
        **OPTIONS,
    )

    op.create_table(
        "session_instances",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("action", sa.String(16)),
        sa.Column("target", sa.String(255)),
        sa.Column("replaced_by", sa.String(64)),
        sa.Column("why", _long(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_session_instances")),
        **OPTIONS,
    )

    op.create_table(
        "session_projects",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("reached", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(32)),
        sa.Column("reply", sa.String(40)),
        sa.Column("instance_ids", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "id", name=op.f("pk_session_projects")),
        **OPTIONS,
    )

    op.create_table(
        "moves",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("instance_id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("target", sa.String(255)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cloud_id", sa.String(64)),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("finished_at", _time()),
        sa.Column("error", _long()),
        sa.PrimaryKeyConstraint("session_id", "key", name=op.f("pk_moves")),
        **OPTIONS,
    )

    op.create_table(
        "action_runs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("plugin", sa.String(64), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("finished_at", _time()),
        sa.Column("error", _long()),
        sa.Column("log", _long(), nullable=False),
        sa.Column("executor", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_runs")),
        sa.UniqueConstraint("session_id", "key", name=op.f("uq_action_runs_session_id_key")),
        **OPTIONS,
    )

    op.create_table(
        "messages",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("event_type", sa.String(32), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("instance_ids", sa.JSON, nullable=False),
        sa.Column("reply_by", _time()),
        sa.Column("reply", sa.JSON),
        sa.Column("replied_at", _time()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("session_id", "key", name=op.f("uq_messages_session_id_key")),
        sa.UniqueConstraint("session_id", "sequence", name=op.f("uq_messages_session_id_sequence")),
        **OPTIONS,
    )

    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("target", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _time(), nullable=False),
        sa.Column("error", _long()),
        sa.Column("delivered_at", _time()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_deliveries_message_id"), "deliveries", ["message_id"])
    op.create_index(op.f("ix_deliveries_session_id_state"), "deliveries", ["session_id", "state"])

    op.create_table(
        "replies",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("instance_id", sa.String(64)),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("instance_actions", sa.JSON, nullable=False),
        sa.Column("received_at", _time(), nullable=False),
        sa.Column("outcome", sa.String(190)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_replies_session_id_outcome"), "replies", ["session_id", "outcome"])

    op.create_table(
        "timeline",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("why", _long(), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("instance", sa.String(64)),
        sa.Column("project", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_timeline_session_id"), "timeline", ["session_id"])

    op.create_table(
        "instance_constraints",
        sa.Column("instance_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("instance_name", sa.String(255), nullable=False),
        sa.Column("max_interruption_time", sa.Integer, nullable=False),
        sa.Column("migration_type", sa.String(16), nullable=False),
        sa.Column("resource_mitigation", sa.Boolean, nullable=False),
        sa.Column("lead_time", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_instance_constraints")),
        **OPTIONS,
    )

    op.create_table(
        "group_constraints",
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("group_name", sa.String(255), nullable=False),
        sa.Column("anti_affinity_group", sa.Boolean, nullable=False),
        sa.Column("max_instances_per_host", sa.Integer, nullable=False),
        sa.Column("max_impacted_members", sa.Integer, nullable=False),
        sa.Column("recovery_time", sa.Integer, nullable=False),
        sa.Column("resource_mitigation", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_group_constraints")),
        **OPTIONS,
    )

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("event_types", sa.JSON, nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_subscriptions_project_id"), "subscriptions", ["project_id"])


def downgrade() -> None:
    for table in (
        "subscriptions",
        "group_constraints",
        "instance_constraints",
        "timeline",
        "replies",
        "deliveries",
        "messages",
        "action_runs",
        "moves",
        "session_projects",
        "session_instances",
        "session_hosts",
        "engines",
        "leases",
        "sessions",
    ):
        op.drop_table(table)
