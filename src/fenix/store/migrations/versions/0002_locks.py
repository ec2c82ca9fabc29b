"""Rows to be changed by those who must be alone, which holds on all nodes of a cluster."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
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


def upgrade() -> None:
    locks = op.create_table(
        "locks",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
        **OPTIONS,
    )
    op.bulk_insert(locks, [{"name": "admission", "taken": 0}])


def downgrade() -> None:
    op.drop_table("locks")
