"""Secrets and health of subscriptions; messages that are sent again."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _time() -> TypeEngine[Any]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    """All may be empty, so that the previous release can go on writing rows."""
    error = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    return {
        "deliveries": (sa.Column("requested_at", _time()),),
        "subscriptions": (
            sa.Column("secret", sa.String(255)),
            sa.Column("old_secret", sa.String(255)),
            sa.Column("old_secret_until", _time()),
            sa.Column("failing_since", _time()),
            sa.Column("retry_at", _time()),
            sa.Column("last_error", error),
            sa.Column("last_error_at", _time()),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
